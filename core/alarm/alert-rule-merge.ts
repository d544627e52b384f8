import { areConcurrent, canonicalText, isOverruled, joinVersions, revisionOf } from '../sync/version.ts';
import type { AlertRule } from './alert-rule.ts';

/** What a person says of a rule, or that it is deleted: all but where it belongs and how often it was changed. */
const wordingOf = ({
	id: _id,
	tenantId: _tenantId,
	gatewayId: _gatewayId,
	version: _version,
	revision: _revision,
	...wording
}: AlertRule) => wording;

/** What became of two states of a rule. */
export interface MergedRule {
	readonly rule: AlertRule;
	/** The state that gave way although its author could not know of the other; `null`: there was no conflict. */
	readonly loser: AlertRule | null;
}

/** The state that counts, the same one on every box and in whatever order they arrive. `mine` or `theirs` itself, when the other adds nothing. */
export function mergeRules(mine: AlertRule, theirs: AlertRule): MergedRule {
	const isTheirs = isOverruled(mine.version, theirs.version, () => ({
		mine: wordingOf(mine),
		theirs: wordingOf(theirs),
	}));
	const version = joinVersions(mine.version, theirs.version);
	const [winner, loser] = isTheirs ? [theirs, mine] : [mine, theirs];
	const isAll = canonicalText(version) === canonicalText(winner.version);
	const rule = isAll ? winner : { ...mine, ...wordingOf(winner), version, revision: revisionOf(version) };
	return { rule, loser: areConcurrent(mine.version, theirs.version) ? loser : null };
}
