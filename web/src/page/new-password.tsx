import { t } from '../text.ts';
import { PasswordForm } from './account.tsx';

/** All there is for somebody whose password was set by an administrator, until it is changed. */
export function NewPasswordPage() {
	return (
		<div class="narrow-stack">
			<h1>{t('account.mustChange')}</h1>
			<p>{t('account.mustChangeLead')}</p>
			<PasswordForm />
		</div>
	);
}
