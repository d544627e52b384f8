import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { AlertView } from '../wire.ts';

const PERIOD_MS = 15_000;
/** More are shown as "99+". */
const MOST = 100;

/** How many alerts wait to be acknowledged; nothing while none does. */
export function AlertCount() {
	const { notices } = useServices();
	const { data } = usePoll<readonly AlertView[]>(`/api/v1/monitoring/alerts?limit=${MOST}`, PERIOD_MS, notices.heard);
	const count = data.value?.length ?? 0;
	if (count === 0) return null;
	return (
		<span class="count">
			{count < MOST ? count : `${MOST - 1}+`}
			<span class="unseen"> {t('alerts.waiting')}</span>
		</span>
	);
}
