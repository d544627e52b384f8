import { type ReadonlySignal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import type { FoundUnitView, ScanView } from '../wire-field.ts';
import { useServices } from './services.ts';

/** `{scan}.{number}`, as the page of a scan names what it found. */
const PLACE = /^([0-9a-f-]{36})\.(\d{1,5})$/;

export interface FoundState {
	/** `undefined` while it is asked for; `null`: there is none. */
	readonly unit: ReadonlySignal<FoundUnitView | null | undefined>;
}

/** The unit of a scan that the address of the page names. */
export function useFound(place: string | null): FoundState {
	const { api } = useServices();
	const [, scan, index] = PLACE.exec(place ?? '') ?? [];
	const unit = useSignal<FoundUnitView | null | undefined>(scan === undefined ? null : undefined);
	useEffect(() => {
		if (scan === undefined) return;
		async function ask(): Promise<void> {
			try {
				const { found } = await api.get<ScanView>(`/api/v1/scans/${scan}`);
				unit.value = found[Number(index)] ?? null;
			} catch {
				// A scan that is forgotten leaves an empty form, which is still of use.
				unit.value = null;
			}
		}
		void ask();
	}, [api, scan, index, unit]);
	return { unit };
}
