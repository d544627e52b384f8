import { FormProblem, TextField, readForm } from '../part/field.tsx';
import { link } from '../router.ts';
import { useForm } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';

const FIELDS = ['email', 'password'] as const;

export function LoginPage() {
	const { session } = useServices();
	const form = useForm(FIELDS);
	return (
		<form
			class="card narrow"
			onSubmit={(event) => {
				event.preventDefault();
				const field = readForm(event.currentTarget);
				void form.send(() => session.login(field('email').trim(), field('password')));
			}}
		>
			<h1>{t('login.title')}</h1>
			<FormProblem form={form} />
			<TextField
				form={form}
				name="email"
				type="email"
				label={t('claim.email')}
				autocomplete="username"
				required
				focus
			/>
			<TextField
				form={form}
				name="password"
				type="password"
				label={t('claim.password')}
				autocomplete="current-password"
				required
			/>
			<button class="primary" disabled={form.busy.value}>
				{t('login.submit')}
			</button>
			{session.registration.value !== 'closed' && (
				<p class="beside">
					<a class="button plain" href={link('register')}>
						{t('register.title')}
					</a>
				</p>
			)}
		</form>
	);
}
