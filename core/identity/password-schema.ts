import { body, chosenPassword, givenPassword } from './identity-schema.ts';

export interface PasswordChangeBody {
	readonly current_password: string;
	readonly new_password: string;
}

export const passwordChangeBody = body({
	current_password: givenPassword().required(),
	new_password: chosenPassword().required(),
});

export interface PasswordResetBody {
	readonly new_password: string;
}

export const passwordResetBody = body({ new_password: chosenPassword().required() });
