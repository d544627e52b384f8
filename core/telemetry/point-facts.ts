import type { ModbusConnection, PollClass, SerialConnection } from '../../config/connection/connection.ts';
import type { Device } from '../device/device.ts';

/** What a device template knows of a point, as far as it is needed to show its values. */
export interface PointFacts {
	/** '' where it has none. */
	readonly unit: string;
	/** A parameter of the device, which changes when a person changes it. */
	readonly isSetting: boolean;
	/** How often it is read; absent: as often as points of its kind are. */
	readonly poll?: PollClass;
	/** For a counter, which only grows apart from turns; absent or `null` for other points. */
	readonly counter?: CounterFacts | null;
}

/** How a counter turns. */
export interface CounterFacts {
	/** The values its register can hold, after scaling: from `bottom` to below `top`. `null` where it is not known, as for floats. */
	readonly range: { readonly bottom: number | bigint; readonly top: number | bigint } | null;
}

/** A connection that names a template, with what the device says above it. */
export type TemplatedConnection = ModbusConnection | SerialConnection;

/** Facts of a device's point; `null` for a template or point that is not known here. */
export type PointFactsOf = (connection: TemplatedConnection, point: string) => PointFacts | null;

/** Settings are read this seldom. */
export const SETTING_PERIOD_MS = 600_000;

const SLOW_PERIODS = 10;

/** The least age at which a polled value is called stale, ms. */
const STALE_AFTER_MS = 5_000;
const STALE_PERIODS = 3;

/** What a value of one point of a device is shown with. */
export interface Shown {
	/** `null` where none is known. */
	readonly unit: string | null;
	/** Age at which the value is stale, ms; values of devices that send by themselves never are (Infinity). */
	readonly staleAfterMs: number;
}

/** Time between two reads of a point, ms, by how often it is read; `Infinity` where nobody promises another one. */
const readEveryMs: Readonly<Record<PollClass | 'setting', (connection: ModbusConnection) => number>> = {
	fast: ({ periodMs, tuning }) => tuning?.fastPeriodMs ?? periodMs,
	normal: ({ periodMs }) => periodMs,
	slow: ({ periodMs, tuning }) => tuning?.slowPeriodMs ?? SLOW_PERIODS * periodMs,
	setting: ({ periodMs }) => Math.max(periodMs, SETTING_PERIOD_MS),
	once: () => Number.POSITIVE_INFINITY,
	'on-demand': () => Number.POSITIVE_INFINITY,
};

const classOf = (facts: PointFacts | null): PollClass | 'setting' =>
	facts?.poll ?? (facts?.isSetting === true ? 'setting' : 'normal');

/** How the values of a device's points are shown. */
export function shownBy({ connection }: Pick<Device, 'connection'>, factsOf: PointFactsOf): (point: string) => Shown {
	if (connection === null || connection.driver === 'mqtt')
		return () => ({ unit: null, staleAfterMs: Number.POSITIVE_INFINITY });
	return (point) => {
		const facts = factsOf(connection, point);
		const everyMs = connection.driver === 'modbus' ? readEveryMs[classOf(facts)](connection) : Number.POSITIVE_INFINITY;
		return { unit: facts?.unit ?? null, staleAfterMs: Math.max(STALE_PERIODS * everyMs, STALE_AFTER_MS) };
	};
}
