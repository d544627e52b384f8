import { formatBytes } from '../format.ts';
import { t } from '../text.ts';

/** How full the journal is, as a bar and in words. */
export function JournalUse({ bytes, quotaBytes }: { readonly bytes: number; readonly quotaBytes: number }) {
	const text = t('sync.journalUse', { used: formatBytes(bytes), max: formatBytes(quotaBytes) });
	return (
		<>
			<meter min={0} max={quotaBytes} value={bytes} high={quotaBytes * 0.9} aria-label={text} />
			<div>{text}</div>
		</>
	);
}
