import { rawOf, type RawHead, type RawRoot, type RawTargets } from './role-draft.ts';

const short = (keyId: string): string => keyId.slice(0, 12);

function rootLines({ roles }: RawRoot, names: Readonly<Record<string, string>>): readonly string[] {
	return Object.entries(roles).map(([role, { keyids, threshold }]) => {
		const people = keyids.map((keyId) => `${names[keyId] ?? '?'} ${short(keyId)}`).join(', ');
		return `  ${role}: ${threshold} of ${people}`;
	});
}

function targetsLines(
	{ targets, delegations }: RawTargets,
	names: Readonly<Record<string, string>>,
): readonly string[] {
	const files = Object.entries(targets).map(
		([path, { length, hashes }]) => `  ${path}: ${length} bytes, sha256 ${hashes.sha256}`,
	);
	const roles = (delegations?.roles ?? []).map(({ name, paths, keyids, threshold, terminating }) => {
		const people = keyids.map((keyId) => `${names[keyId] ?? '?'} ${short(keyId)}`).join(', ');
		return `  ${name} signs ${paths.join(' ')}${terminating ? '' : ' (others too)'}: ${threshold} of ${people}`;
	});
	return [...files, ...roles];
}

/** What somebody puts a name under, in lines. */
export function describeRole(role: string, text: string, names: Readonly<Record<string, string>>): readonly string[] {
	const { signed } = rawOf<RawHead>(text);
	const head = `${role} ${signed.version}, until ${signed.expires}`;
	if (role === 'root') return [head, ...rootLines(rawOf<RawRoot>(text).signed, names)];
	return [head, ...targetsLines(rawOf<RawTargets>(text).signed, names)];
}
