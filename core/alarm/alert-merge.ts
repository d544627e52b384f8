import { canonicalText } from '../sync/version.ts';
import type { AlertInstant } from './alert-stamps.ts';
import type { Alert } from './alert.ts';

/** What only the origin of an alert says of it. */
const factsOf = ({ severity, message, value, raisedAt, clearedAt, occurrences, revision, title }: Alert) => ({
	severity,
	message,
	value,
	raisedAt,
	clearedAt,
	occurrences,
	revision,
	title,
});

/** The later word of the origin; of one that was restored, and has counted the same number twice, the larger text. */
function laterFacts(mine: Alert, theirs: Alert): Alert {
	if (mine.revision !== theirs.revision) return mine.revision > theirs.revision ? mine : theirs;
	return canonicalText(factsOf(theirs)) > canonicalText(factsOf(mine)) ? theirs : mine;
}

const acknowledgementOf = ({ acknowledgedBy, acknowledgedEmail, acknowledgedAt, acknowledgedOccurrences }: Alert) => ({
	acknowledgedBy,
	acknowledgedEmail,
	acknowledgedAt,
	acknowledgedOccurrences,
});

/** The earlier of two acknowledgements; the clocks of the boxes decide who is named, and never whether it was acknowledged. */
function firstAcknowledged(mine: Alert, theirs: Alert): Alert {
	if (theirs.acknowledgedAt === null) return mine;
	// Of an instant that nobody knows the other box will not hear.
	if (mine.acknowledgedAt === null || mine.unsettled?.acknowledgedAt !== undefined) return theirs;
	if (mine.acknowledgedAt !== theirs.acknowledgedAt) return mine.acknowledgedAt < theirs.acknowledgedAt ? mine : theirs;
	return canonicalText(acknowledgementOf(mine)) <= canonicalText(acknowledgementOf(theirs)) ? mine : theirs;
}

/** The alert without marks of instants that another box has said meanwhile. */
function withoutMarks({ unsettled, ...alert }: Alert, instants: readonly AlertInstant[]): Alert {
	if (unsettled === undefined) return alert;
	const left = Object.entries(unsettled).filter(([name]) => !instants.some((instant) => instant === name));
	return left.length === 0 ? alert : { ...alert, unsettled: Object.fromEntries(left) };
}

/**
 * One alert from what two boxes know of it: whether it holds from its origin, that it was acknowledged from either. Does not depend on the
 * order of arrival, nor on repetition. Answers `mine` itself when there is nothing new in `theirs`, and `theirs` when there is nothing else in `mine`.
 */
export function mergeAlerts(mine: Alert, theirs: Alert): Alert {
	const facts = laterFacts(mine, theirs);
	const acknowledged = firstAcknowledged(mine, theirs);
	if (facts === mine && acknowledged === mine) return mine;
	const said: AlertInstant[] = facts === mine ? [] : ['raisedAt', 'clearedAt'];
	if (acknowledged !== mine) said.push('acknowledgedAt');
	const merged = { ...withoutMarks(mine, said), ...factsOf(facts), ...acknowledgementOf(acknowledged) };
	const text = canonicalText(merged);
	if (text === canonicalText(mine)) return mine;
	return text === canonicalText(theirs) ? theirs : merged;
}

/**
 * What its origin makes of an alert that was acknowledged elsewhere before somebody there could know that it was raised anew: the one that
 * was acknowledged has ended, and `again` is to be raised for what nobody has seen.
 */
export function splitUnseen(merged: Alert, again: Pick<Alert, 'id' | 'createdAt'>): readonly [Alert, Alert] | null {
	const seen = merged.acknowledgedOccurrences;
	if (seen === null || seen >= merged.occurrences) return null;
	const { unsettled } = merged;
	const raised = merged.clearedAt === null ? unsettled?.raisedAt : undefined;
	const ended: Alert = {
		...merged,
		...(raised !== undefined && { unsettled: { ...unsettled, clearedAt: raised } }),
		occurrences: seen,
		clearedAt: merged.clearedAt ?? merged.raisedAt,
		revision: merged.revision + 1,
	};
	const unseen: Alert = {
		...merged,
		...again,
		occurrences: merged.occurrences - seen,
		revision: 1,
		acknowledgedBy: null,
		acknowledgedEmail: null,
		acknowledgedAt: null,
		acknowledgedOccurrences: null,
	};
	return [ended, unseen];
}
