/** True when a page of this origin may talk to a host: its own pages, programs (which send no origin), and the origins that the settings name. */
export function isAllowedOrigin(
	origin: string | undefined,
	host: string | undefined,
	allowed: readonly string[],
): boolean {
	if (origin === undefined || allowed.includes(origin)) return true;
	return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
