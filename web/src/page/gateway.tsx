import { Back } from '../part/back.tsx';
import { GatewayClock } from '../part/clock.tsx';
import { Answer } from '../part/answer.tsx';
import { GatewayConfiguration } from '../part/gateway-configuration.tsx';
import { LedgerCard } from '../part/ledger.tsx';
import { Resend } from '../part/resend.tsx';
import { GatewayState } from '../part/gateway-state.tsx';
import { usePoll } from '../state/poll.ts';
import { useServices } from '../state/services.ts';
import { t } from '../text.ts';
import type { GatewayClockView, LedgerView } from '../wire-completeness.ts';
import type { GatewayView } from '../wire.ts';

const PERIOD_MS = 5_000;
const CLOCK_PERIOD_MS = 15_000;

/** One gateway of the fleet: how complete its readings are here, how good its clock is, and what it runs. */
export function GatewayPage() {
	const { place, me } = useServices();
	const id = place.value.id ?? '';
	const path = `/api/v1/gateways/${encodeURIComponent(id)}`;
	const gateways = usePoll<readonly GatewayView[]>('/api/v1/gateways', PERIOD_MS);
	const ledger = usePoll<LedgerView>(`${path}/ledger`, PERIOD_MS);
	const clock = usePoll<GatewayClockView>(`${path}/clock`, CLOCK_PERIOD_MS);
	const found = gateways.data.value?.find((gateway) => gateway.id === id);
	return (
		<>
			<Back to="gateways" />
			<Answer of={gateways}>
				{() =>
					found === undefined ? (
						<p class="quiet">{t('gateways.notFound')}</p>
					) : (
						<>
							<div class="title-row">
								<h1>{found.name}</h1>
								<GatewayState gateway={found} />
								<span class="quiet id">{found.id}</span>
							</div>
							<div class="cards pair">
								<Answer of={ledger}>
									{(answer) => (
										<LedgerCard ledger={answer}>
											<Resend path={path} onDone={ledger.reload} />
										</LedgerCard>
									)}
								</Answer>
								<Answer of={clock}>{(answer) => <GatewayClock clock={answer} />}</Answer>
							</div>
							{me.may('gateways:configure') && <GatewayConfiguration id={id} />}
						</>
					)
				}
			</Answer>
		</>
	);
}
