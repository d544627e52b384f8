import { connect } from 'socket.io-client';

import { type Rest, member } from '../test/system/kit/rest.ts';
import { median } from './table.ts';

/** Ages above this are a clock that went round, not values that old. */
const WRAP_MS = 60_000;

/** Ages of a device's stamp on a hull's Socket.IO, from the reading of the register to here. */
export interface LiveAges {
	/** The middle, the 99th percentile and the highest age, ms, and how many values came, since the last call. */
	take(): { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number; readonly count: number };
	stop(): void;
}

/** The value that this share of the others is not above; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function ageOf(event: unknown): number | null {
	const stamp = member(member(event, 'data'), 'stamp_0');
	if (typeof stamp !== 'number') return null;
	const age = (Date.now() - stamp) & 0xffff;
	return age > WRAP_MS ? age - 0x1_0000 : age;
}

/** Subscribes to devices. The first event of each is what the hull last knew, and is not counted. */
export async function watchLiveAges({ url, token }: Rest, uids: readonly string[]): Promise<LiveAges> {
	let ages: number[] = [];
	const socket = connect(`${url}/monitoring`, { transports: ['websocket'], forceNew: true, auth: { token } });
	await new Promise<void>((resolve, reject) => {
		socket.once('connect', resolve);
		socket.once('connect_error', reject);
	});
	for (const uid of uids) await socket.timeout(5_000).emitWithAck('subscribe_device', { device_uid: uid });
	socket.on('telemetry', (event: unknown) => {
		const age = ageOf(event);
		if (age !== null) ages.push(age);
	});
	return {
		take() {
			const taken = ages;
			ages = [];
			return { p50Ms: median(taken), p99Ms: quantile(taken, 0.99), maxMs: Math.max(...taken), count: taken.length };
		},
		stop: () => void socket.close(),
	};
}
