import { useSignal } from '@preact/signals';

import { go } from '../router.ts';
import { useForm } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { tt } from '../text-template.ts';
import { FormDialog } from './dialog.tsx';

interface DeleteTemplateProps {
	readonly path: string;
	readonly templateKey: string;
	/** Of what the person sees; '' when nobody could read it. */
	readonly checksum: string;
}

/** Takes a template of the site away: a button, and its dialog, in which a refusal is shown. */
export function DeleteTemplate({ path, templateKey, checksum }: DeleteTemplateProps) {
	const { api } = useServices();
	const form = useForm([]);
	const isOpen = useSignal(false);
	return (
		<>
			<button type="button" onClick={() => (isOpen.value = true)}>
				{tt('template.delete')}
			</button>
			{isOpen.value && (
				<FormDialog
					title={tt('template.deleteWhich', { key: templateKey })}
					form={form}
					submit={tt('template.delete')}
					danger
					onClose={() => (isOpen.value = false)}
					onSend={async () => {
						await api.remove(path, checksum === '' ? undefined : checksum);
						go('templates');
					}}
				>
					<p>{tt('template.deleteLead')}</p>
				</FormDialog>
			)}
		</>
	);
}
