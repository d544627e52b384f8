import type { ConverterLine, TcpLine } from '../../config/connection/connection.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import { exceptionText } from '../driver/modbus/wire/modbus-fault.ts';
import type { IdentifyUnit } from './identify-unit.ts';
import { hostPlan, type NetworkRule } from './own-networks.ts';
import type { SweepContext, TcpSweep } from './scan.ts';
import type { ScanLines } from './scan-line.ts';
import { createWitness } from './witness.ts';

/** Whether something takes connections there; `signal`: gives up. Never rejects. */
export type KnockAtPort = (host: string, port: number, signal: AbortSignal) => Promise<boolean>;

export interface TcpSweepDeps {
	readonly lines: Pick<ScanLines, 'visit' | 'inUse'>;
	readonly identify: IdentifyUnit;
	readonly networks: NetworkRule;
	readonly knockAtPort: KnockAtPort;
}

/** Connections that are tried at once, and devices that are asked at once. */
const KNOCKING = 64;
const ASKING = 4;

/** Units that devices without units answer as: 1 mostly, 255 and 0 by the specification (Messaging on TCP/IP 1.0b, 4.4.2). */
const USUAL_UNITS = [1, 255, 0] as const;

const TLS_PORT = 802;
const MODBUS_PORTS: ReadonlySet<number> = new Set([502, 503, 1502, 5020]);

/** The gateway behind this address has no such unit, or it is silent. */
const GATEWAY_EXCEPTIONS: ReadonlySet<number> = new Set([10, 11]);

/** What may be spoken at a port, the likeliest first. Behind other ports there are mostly transparent serial servers. */
function linesAt(host: string, port: number): readonly (TcpLine | ConverterLine)[] {
	const tcp: TcpLine = { transport: 'tcp', host, port };
	if (port === TLS_PORT) return [{ ...tcp, tls: {} }, tcp];
	if (MODBUS_PORTS.has(port)) return [tcp];
	return [tcp, { transport: 'rtu-over-tcp', host, port }];
}

/** Does the work of a list with so many at once; ends with the first that fails. */
async function together<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
	let next = 0;
	async function worker(): Promise<void> {
		for (let item = items[next]; item !== undefined; item = items[next]) {
			next += 1;
			await work(item);
		}
	}
	await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}

interface Place {
	readonly host: string;
	readonly port: number;
}

/** What came of asking the units behind one line. */
interface Heard {
	readonly units: readonly number[];
	/** Exception by which a gateway said that it has nobody there; `null`: none did. */
	readonly gatewayCode: number | null;
}

/** Finds the devices in networks that this box is part of. */
export function createTcpSweep({ lines, identify, networks, knockAtPort }: TcpSweepDeps) {
	async function askLine(sweep: TcpSweep, line: TcpLine | ConverterLine, context: SweepContext): Promise<Heard> {
		const scanLine = await lines.visit(line);
		const units: number[] = [];
		let gatewayCode: number | null = null;
		try {
			const witness = createWitness(scanLine, context.signal);
			for (const unitId of sweep.unitIds ?? USUAL_UNITS) {
				context.signal.throwIfAborted();
				const { timeoutMs } = sweep;
				const outcome = await witness.ask({ unitId, functionCode: 3, address: 0, count: 2, timeoutMs });
				if (outcome.kind === 'exception' && GATEWAY_EXCEPTIONS.has(outcome.code)) {
					gatewayCode = outcome.code;
				} else if (outcome.kind === 'answer' || outcome.kind === 'exception') {
					units.push(unitId);
					if (sweep.unitIds === null) break;
				} else if (sweep.unitIds === null && outcome.kind === 'damaged') {
					// Something else is spoken here.
					break;
				}
			}
			for (const unitId of units) context.found(await identify(witness, { unitId, line, timeoutMs: sweep.timeoutMs }));
		} catch (error) {
			// A connection that breaks says something of this device only.
			context.signal.throwIfAborted();
			context.hint({ code: 'mute-host', severity: 'info', sentence: `${scanLine.name}: ${messageOf(error)}` });
		} finally {
			await scanLine.release();
		}
		return { units, gatewayCode };
	}

	async function askPlace(sweep: TcpSweep, { host, port }: Place, context: SweepContext): Promise<void> {
		const used = await lines.inUse({ host, port });
		const candidates = used === null || 'path' in used ? linesAt(host, port) : [used];
		for (const line of candidates) {
			const { units, gatewayCode } = await askLine(sweep, line, context);
			if (gatewayCode !== null && units.length === 0) {
				const sentence = `${host}:${port} is a gateway that answers for other units (${exceptionText(gatewayCode)}): scan it with the unit ids behind it, 1 to 247`;
				context.hint({ code: 'gateway', severity: 'info', sentence });
			}
			if (units.length > 0 || gatewayCode !== null) return;
		}
		const sentence = `${host}:${port} takes connections but answers no Modbus request: it may serve another master already, know only other unit ids, or be no Modbus device`;
		context.hint({ code: 'mute-host', severity: 'info', sentence });
	}

	return {
		/** @throws Fault of `subnets` when they may not be scanned */
		check(sweep: TcpSweep): void {
			hostPlan(sweep.subnets, networks);
		},
		async run(sweep: TcpSweep, context: SweepContext): Promise<void> {
			const { hosts } = hostPlan(sweep.subnets, networks);
			const places = hosts.flatMap((host) => sweep.ports.map((port): Place => ({ host, port })));
			const open: Place[] = [];
			let done = 0;
			await together(places, KNOCKING, async (place) => {
				context.signal.throwIfAborted();
				const isUsed = (await lines.inUse(place)) !== null;
				if (isUsed || (await knockAtPort(place.host, place.port, context.signal))) open.push(place);
				done += 1;
				context.progress(done, places.length, `${place.host}:${place.port}`);
			});
			let asked = 0;
			await together(open, ASKING, async (place) => {
				context.signal.throwIfAborted();
				context.progress(
					places.length,
					places.length,
					`who is ${place.host}:${place.port} (${asked} of ${open.length})`,
				);
				await askPlace(sweep, place, context);
				asked += 1;
			});
		},
	};
}
