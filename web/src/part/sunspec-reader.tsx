import { useSignal } from '@preact/signals';

import type { FormState } from '../state/form.ts';
import { useServices } from '../state/services.ts';
import { tf } from '../text-field.ts';
import type { SunspecView } from '../wire-field.ts';

interface SunspecReaderProps {
	readonly form: FormState;
	/** Line and unit as the form has them. */
	readonly target: () => Readonly<Record<string, unknown>>;
	/** The template is kept at the site and can be chosen. */
	readonly onTemplate: (key: string) => void;
}

/** Makes a template of what the device says of itself. */
export function SunspecReader({ form, target, onTemplate }: SunspecReaderProps) {
	const { api } = useServices();
	const read = useSignal<SunspecView | null>(null);
	const start = () =>
		form.send(async () => {
			read.value = null;
			const answer = await api.post<SunspecView>('/api/v1/lines/sunspec', target());
			await api.put(`/api/v1/templates/${answer.template.key}`, answer.template.document);
			read.value = answer;
			onTemplate(answer.template.key);
		});
	const found = read.value;
	return (
		<div class="field">
			<p class="hint">{tf('add.sunspecLead')}</p>
			<button type="button" disabled={form.busy.value} onClick={() => void start()}>
				{tf('add.sunspec')}
			</button>
			{found !== null && (
				<div role="status">
					<p>
						{tf('add.sunspecFound', {
							maker: found.manufacturer,
							model: found.model,
							serial: found.serial_number,
							models: found.models.join(', '),
						})}{' '}
						{tf('add.sunspecUsed', { key: found.template.key })}
					</p>
					{found.left_out.length > 0 && (
						<p class="warn-text">{tf('add.sunspecLeftOut', { what: found.left_out.join('. ') })}</p>
					)}
				</div>
			)}
		</div>
	);
}
