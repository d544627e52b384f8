import { useEffect, useRef } from 'preact/hooks';

import { link } from '../router.ts';
import type { Notice } from '../state/notices.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { Severity } from '../wire.ts';
import { Icon } from './icon.tsx';
import { SeverityMark } from './severity.tsx';

/** Long enough to read two sentences; the list of alerts keeps what nobody saw. */
const SHOWN_MS = 20_000;

const isSeverity = (type: string): type is Severity => type === 'info' || type === 'warning' || type === 'critical';

/** News at the edge of the page: read out, never in the way, and gone by themselves. */
export function Toasts() {
	const { notices } = useServices();
	return (
		<ul class="toasts" role="status" aria-label={t('toasts.title')}>
			{notices.shown.value.map((notice) => (
				<Toast key={notice.key} notice={notice} />
			))}
		</ul>
	);
}

function Toast({ notice }: { readonly notice: Notice }) {
	const { notices, me } = useServices();
	const item = useRef<HTMLLIElement>(null);
	const { key, title, message, type } = notice;

	useEffect(() => {
		const timer = setInterval(() => {
			// Not under somebody's hand.
			if (item.current?.matches(':hover, :focus-within') !== true) notices.dismiss(key);
		}, SHOWN_MS);
		return () => clearInterval(timer);
	}, [notices, key]);

	function dismiss(): void {
		const hadFocus = item.current?.contains(document.activeElement) === true;
		notices.dismiss(key);
		if (hadFocus) document.querySelector<HTMLElement>('#main')?.focus();
	}

	return (
		<li ref={item} class="toast">
			<div>
				<p>
					{isSeverity(type) && <SeverityMark severity={type} />}
					<strong>{title}</strong>
				</p>
				<p>{message}</p>
				{me.may('alarms:write') && (
					<a href={link('alerts')} onClick={dismiss}>
						{t('toasts.open')}
					</a>
				)}
			</div>
			<button type="button" class="plain" aria-label={t('toasts.dismiss', { title })} onClick={dismiss}>
				<Icon name="close" />
			</button>
		</li>
	);
}
