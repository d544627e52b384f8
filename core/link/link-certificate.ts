import type { EpochMs } from '../kernel/clock.ts';

/** Life of a gateway's certificate. */
export const LINK_CERTIFICATE_DAYS = 365;

/** It is renewed when a third of its life is left. */
const RENEW_BEFORE_MS = (LINK_CERTIFICATE_DAYS / 3) * 86_400_000;

export const isRenewalDue = (expiresAt: EpochMs, now: EpochMs): boolean => now >= expiresAt - RENEW_BEFORE_MS;
