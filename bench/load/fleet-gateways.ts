import { readFileSync } from 'node:fs';

import { encodeBlock } from '../../core/journal/block-codec.ts';
import type { JournalCommit, JournalPosition } from '../../core/journal/journal.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { type GatewayId, newDeviceId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { linkMessage, parseLinkMessage } from '../../core/link/link-messages.ts';
import type { Credential } from '../../core/pki/certificate.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { createBackfillLane } from '../../gateway/uplink/backfill-lane.ts';
import { createByteBudget } from '../../gateway/uplink/byte-budget.ts';
import { createBatchSize } from '../../gateway/uplink/batch-size.ts';
import { createHubPressure } from '../../gateway/uplink/hub-pressure.ts';
import { createLinkConnection } from '../../gateway/uplink/link-connection.ts';
import { createLiveLane } from '../../gateway/uplink/live-lane.ts';
import { plausibleReadings } from '../plausible-readings.ts';
import { POINTS_PER_DEVICE } from '../stamp-devices.ts';
import { requiredArguments } from './arguments.ts';

/**
 * Program: gateways that come to a hub all at once, each with `backlog` samples of history and one live reading a second: the product's own connection
 * and lanes over a journal in memory. Tells when the last was welcomed and when the last had nothing left.
 */
const given = requiredArguments(['port', 'credentials', 'backlog']);
const backlog = Number(given.backlog);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the hub of this bench has written it
const { caPem, fleet } = JSON.parse(readFileSync(given.credentials, 'utf8')) as {
	readonly caPem: string;
	readonly fleet: readonly { readonly id: GatewayId; readonly own: Credential }[];
};
const COMMIT_SAMPLES = 1_000;
const EPOCH = 1;
const LIVE_MS = 1_000;
const at = (offset: number): JournalPosition => ({ segment: 1, offset });

const history = Array.from({ length: backlog / COMMIT_SAMPLES }, (_, index) => index);

function journalOf(origin: GatewayId) {
	return {
		oldest: () => at(0),
		end: () => at(history.length),
		async *read(from: JournalPosition): AsyncGenerator<JournalCommit> {
			for (const offset of history.slice(from.offset)) {
				const firstSeq = offset * COMMIT_SAMPLES + 1;
				const readings = plausibleReadings({ origin, epoch: EPOCH, samples: COMMIT_SAMPLES, firstSeq });
				yield { at: at(offset), next: at(offset + 1), readings };
			}
		},
		hold: () => undefined,
	};
}

const welcomed = new Set<GatewayId>();
const drained = new Set<GatewayId>();
const startMs = performance.now();
const tell = (event: string): void => console.log(JSON.stringify({ event, ms: performance.now() - startMs }));

function startGateway({ id, own }: (typeof fleet)[number]): void {
	const pressure = createHubPressure({ clock: systemClock });
	const device = newDeviceId();
	let nextSeq = backlog + 1;
	let session: AbortController | null = null;
	const live = createLiveLane({
		link: () => link,
		encode: (readings) => encodeBlock(readings),
		isPaused: () => pressure.isLivePaused(),
		settle: (reading) => reading,
		clock: systemClock,
	});
	const backfill = createBackfillLane({
		origin: id,
		journal: journalOf(id),
		encode: (readings) => encodeBlock(readings, undefined, 6),
		batch: createBatchSize(),
		pressure,
		sealed: { ask: () => undefined, next: async () => [], clear: () => undefined },
		settle: (reading) => reading,
		givenUp: () => undefined,
		isOnTheWay: () => false,
		clock: systemClock,
		budget: createByteBudget({ clock: systemClock, bytesPerSecond: 10_000_000 }),
	});
	const link = createLinkConnection({
		gateway: id,
		hub: { linkHost: '127.0.0.1', linkPort: Number(given.port), caPem },
		credentials: () => [own],
		clock: systemClock,
		log: silentLog,
		events: {
			up() {
				const hello = { name: 'g', version: '1', epoch: EPOCH, lastSeq: nextSeq - 1, oldestEpoch: EPOCH, boots: [] };
				link.publish('hello', linkMessage('hello', hello), 1).catch(() => undefined);
			},
			down() {
				session?.abort();
				live.close();
			},
			message(kind, payload) {
				if (kind === 'welcome') {
					session = new AbortController();
					backfill.reset(parseLinkMessage('welcome', payload).received);
					live.open();
					backfill.run(link, session.signal).catch(() => undefined);
					welcomed.add(id);
					if (welcomed.size === fleet.length) tell('welcomed');
				} else if (kind === 'ack') {
					backfill.acknowledge(parseLinkMessage('ack', payload).received);
					if (drained.has(id) || backfill.owed(EPOCH, 1, backlog).length > 0) return;
					drained.add(id);
					if (drained.size === fleet.length) tell('drained');
				} else if (kind === 'pressure') {
					pressure.hear(payload);
					backfill.wake();
				} else if (kind === 'resend') backfill.wake();
			},
		},
	});
	const points = Array.from({ length: POINTS_PER_DEVICE }, (_, index) => `p${index}`);
	setTimeout(
		() =>
			setInterval(() => {
				const values = points.map((_, index) => index);
				const common = { device, telemetryType: 'default', points, values, qualities: null };
				const reading: Reading = { ...common, readAt: systemClock.now(), origin: id, epoch: EPOCH, firstSeq: nextSeq };
				nextSeq += values.length;
				live.offer(reading);
			}, LIVE_MS),
		Math.random() * LIVE_MS,
	);
}

for (const one of fleet) startGateway(one);
console.log(JSON.stringify({ event: 'ready' }));
