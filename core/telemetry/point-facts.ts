import type { Device } from '../device/device.ts';

/** What a device template knows of a point, as far as it is needed to show its values. */
export interface PointFacts {
	/** '' where it has none. */
	readonly unit: string;
	/** A parameter of the device, which changes when a person changes it. */
	readonly isSetting: boolean;
	/** For a counter, which only grows apart from turns; absent or `null` for other points. */
	readonly counter?: CounterFacts | null;
}

/** How a counter turns. */
export interface CounterFacts {
	/** The values its register can hold, after scaling: from `bottom` to below `top`. `null` where it is not known, as for floats. */
	readonly range: { readonly bottom: number | bigint; readonly top: number | bigint } | null;
}

/** Facts of a point by template and point; `null` for a template or point that is not known here. */
export type PointFactsOf = (template: string, point: string) => PointFacts | null;

/** Settings are read this seldom. */
export const SETTING_PERIOD_MS = 600_000;

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

/** How the values of a device's points are shown. */
export function shownBy({ connection }: Pick<Device, 'connection'>, factsOf: PointFactsOf): (point: string) => Shown {
	if (connection?.driver !== 'modbus') return () => ({ unit: null, staleAfterMs: Number.POSITIVE_INFINITY });
	const { periodMs, template } = connection;
	return (point) => {
		const facts = factsOf(template, point);
		const readEveryMs = facts?.isSetting === true ? Math.max(periodMs, SETTING_PERIOD_MS) : periodMs;
		return { unit: facts?.unit ?? null, staleAfterMs: Math.max(STALE_PERIODS * readEveryMs, STALE_AFTER_MS) };
	};
}
