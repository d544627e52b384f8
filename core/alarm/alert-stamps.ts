import type { SettleInstant, Stamp } from '../time/settle.ts';
import type { Alert } from './alert.ts';

/** Instants of an alert that this box stamps. */
export const ALERT_INSTANTS = ['createdAt', 'raisedAt', 'clearedAt', 'acknowledgedAt'] as const;

export type AlertInstant = (typeof ALERT_INSTANTS)[number];

/** Where in the readings of this box an instant was stamped. */
export type StampMark = Pick<Stamp, 'epoch' | 'seq'>;

export type StampMarks = Readonly<Partial<Record<AlertInstant, StampMark>>>;

export interface AlertStampsDeps {
	readonly settle: SettleInstant;
	/** Of what is stamped now and belongs to no reading. */
	readonly next: () => StampMark;
}

/** Keeps account of instants that were stamped while nobody knew the time, and moves them when it becomes known. */
export function createAlertStamps({ settle, next }: AlertStampsDeps) {
	/** The reading that is being compared; its numbers belong to what it raises. */
	let compared: StampMark | null = null;

	/** The alert with the instants that were just stamped under these marks, as far as the time is known. */
	function stamped({ unsettled, ...alert }: Alert, marks: StampMarks): Alert {
		const left: { -readonly [I in AlertInstant]?: StampMark } = { ...unsettled };
		const settled: { -readonly [I in AlertInstant]?: Alert['raisedAt'] } = {};
		for (const instant of ALERT_INSTANTS) {
			const mark = marks[instant];
			if (mark === undefined) continue;
			delete left[instant];
			const stampedAt = alert[instant];
			if (stampedAt === null) continue;
			const at = settle({ ...mark, at: stampedAt });
			if (at === null) left[instant] = mark;
			else settled[instant] = at;
		}
		return { ...alert, ...settled, ...(Object.keys(left).length > 0 && { unsettled: left }) };
	}

	return {
		/** HOT: readings are compared one after the other. */
		comparing({ epoch, firstSeq }: { readonly epoch: number; readonly firstSeq: number }): void {
			if (compared?.epoch !== epoch || compared.seq !== firstSeq) compared = { epoch, seq: firstSeq };
		},
		/** Of the reading that is being compared. */
		ofReading: (): StampMark => compared ?? next(),
		next,
		stamped,
		/** The alert as the time is known now; the same object while nothing more is known. */
		settled(alert: Alert): Alert {
			const { unsettled } = alert;
			if (unsettled === undefined) return alert;
			const after = stamped(alert, unsettled);
			return Object.keys(after.unsettled ?? {}).length < Object.keys(unsettled).length ? after : alert;
		},
		/** An instant under the time that is known now; `null` while it is not known. */
		settle,
	};
}

export type AlertStamps = ReturnType<typeof createAlertStamps>;
