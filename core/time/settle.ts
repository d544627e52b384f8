import type { Reading } from '../telemetry/reading.ts';

/**
 * A reading under the time that is known now: moved where the clock of its boot was wrong. `null` while its time is not known and may still
 * become known; it then stays in the journal, and is neither sealed nor sent.
 */
export type SettleTime = (reading: Reading) => Reading | null;
