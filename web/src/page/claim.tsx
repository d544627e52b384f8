import { FormProblem, TextField, readForm } from '../part/field.tsx';
import { useForm } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';

const FIELDS = ['claim_code', 'email', 'full_name', 'password', 'repeat'] as const;

/** The first administrator is made here, once. */
export function ClaimPage() {
	const { hull, session } = useServices();
	const form = useForm(FIELDS);

	function submit(element: HTMLFormElement): void {
		const field = readForm(element);
		if (field('password') !== field('repeat')) return form.refuse('repeat', t('claim.mismatch'));
		void form.send(() =>
			session.claim({
				claim_code: field('claim_code').trim(),
				email: field('email').trim(),
				full_name: field('full_name').trim(),
				password: field('password'),
			}),
		);
	}

	return (
		<form
			class="card narrow"
			onSubmit={(event) => {
				event.preventDefault();
				submit(event.currentTarget);
			}}
		>
			<h1>{t('claim.title', { hull: t(`claim.${hull}`) })}</h1>
			<p>{t('claim.lead')}</p>
			<FormProblem form={form} />
			<TextField
				form={form}
				name="claim_code"
				label={t('claim.code')}
				hint={t('claim.codeHint')}
				autocomplete="off"
				required
				focus
			/>
			<TextField form={form} name="email" type="email" label={t('claim.email')} autocomplete="username" required />
			<TextField form={form} name="full_name" label={t('claim.name')} autocomplete="name" required />
			<TextField
				form={form}
				name="password"
				type="password"
				label={t('claim.password')}
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
				{t('claim.submit')}
			</button>
		</form>
	);
}
