import { type ReadonlySignal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import type { LineSettings, ScanView } from '../wire-field.ts';
import { useServices } from './services.ts';

/** A unit that a scan asked, and the register the person came from. */
export interface Spot {
	readonly line: LineSettings;
	readonly lineName: string;
	readonly unitId: number;
	/** Modbus function, 1 to 4; `null`: not known. */
	readonly functionCode: number | null;
	/** As on the wire; `null`: none. */
	readonly address: number | null;
}

/** `{scan}.{number}` is a unit that was found, `{scan}@{address}` a register. */
const PLACE = /^([0-9a-f-]{36})([.@])(\d{1,5})$/;

export const unitPlace = (scan: string, index: number): string => `${scan}.${index}`;
export const registerPlace = (scan: string, address: number): string => `${scan}@${address}`;

function spotIn({ found, asked }: ScanView, sign: string | undefined, number: number): Spot | null {
	if (sign === '@')
		return (
			asked && {
				line: asked.line,
				lineName: asked.line_name,
				unitId: asked.unit_id,
				functionCode: asked.function,
				address: number,
			}
		);
	const unit = found[number];
	return unit === undefined
		? null
		: { line: unit.line, lineName: unit.line_name, unitId: unit.unit_id, functionCode: null, address: null };
}

/** The unit of a scan that the address of the page names. `undefined` while it is asked for; `null`: there is none. */
export function useSpot(place: string | null): ReadonlySignal<Spot | null | undefined> {
	const { api } = useServices();
	const [, scan, sign, number] = PLACE.exec(place ?? '') ?? [];
	const spot = useSignal<Spot | null | undefined>(scan === undefined ? null : undefined);
	useEffect(() => {
		if (scan === undefined) return;
		async function ask(): Promise<void> {
			try {
				spot.value = spotIn(await api.get<ScanView>(`/api/v1/scans/${scan}`), sign, Number(number));
			} catch {
				// A scan that is forgotten leaves an empty form, which is still of use.
				spot.value = null;
			}
		}
		void ask();
	}, [api, scan, sign, number, spot]);
	return spot;
}
