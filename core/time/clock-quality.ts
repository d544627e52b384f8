/**
 * What is known of the time under which something was stamped.
 *
 * - `unset`: nobody knows. The clock stands before the last time this box has lived, or far ahead of it, or has neither a battery nor
 *   been set since the power came.
 * - `rtc`: the clock of the machine says a possible time, and nobody has confirmed it.
 * - `ntp`: the machine's time service has set the clock.
 * - `hub`: the hub has said the time, because the machine did not know it or was wrong.
 */
export const CLOCK_QUALITIES = ['unset', 'rtc', 'ntp', 'hub'] as const;

export type ClockQuality = (typeof CLOCK_QUALITIES)[number];
