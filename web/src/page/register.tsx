import { useSignal } from '@preact/signals';

import { FormProblem, TextField, readForm } from '../part/field.tsx';
import { go, link } from '../router.ts';
import { useForm } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';

const FIELDS = ['email', 'full_name', 'password', 'repeat'] as const;

/** Where people make their own account, when the box lets them. */
export function RegisterPage() {
	const { session } = useServices();
	const form = useForm(FIELDS);
	const waiting = useSignal(false);

	function submit(element: HTMLFormElement): void {
		const field = readForm(element);
		if (field('password') !== field('repeat')) return form.refuse('repeat', t('claim.mismatch'));
		void form.send(async () => {
			const isIn = await session.register({
				email: field('email').trim(),
				full_name: field('full_name').trim(),
				password: field('password'),
			});
			waiting.value = !isIn;
			if (isIn) go('devices');
		});
	}

	if (waiting.value)
		return (
			<section class="card narrow" role="status">
				<h1>{t('register.waiting')}</h1>
				<p>{t('register.waitingLead')}</p>
				<a class="button" href={link('')}>
					{t('register.back')}
				</a>
			</section>
		);
	return (
		<form
			class="card narrow"
			onSubmit={(event) => {
				event.preventDefault();
				submit(event.currentTarget);
			}}
		>
			<h1>{t('register.title')}</h1>
			<p>{t(session.registration.value === 'approval' ? 'register.approval' : 'register.open')}</p>
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
			<TextField form={form} name="full_name" label={t('claim.name')} autocomplete="name" required />
			<TextField
				form={form}
				name="password"
				type="password"
				label={t('claim.password')}
				hint={t('account.passwordHint')}
				autocomplete="new-password"
				required
			/>
			<TextField
				form={form}
				name="repeat"
				type="password"
				label={t('claim.repeat')}
				autocomplete="new-password"
				required
			/>
			<button class="primary" disabled={form.busy.value}>
				{t('register.title')}
			</button>
			<p class="beside">
				<a class="button plain" href={link('')}>
					{t('register.back')}
				</a>
			</p>
		</form>
	);
}
