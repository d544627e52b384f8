/** Something an installer should look at, in a sentence. */
export interface Hint {
	readonly code:
		| 'address-clash'
		| 'two-answers'
		| 'two-latencies'
		| 'damaged-long-answers'
		| 'unit-id-reserved'
		| 'noise-only'
		| 'silence'
		| 'fast-is-damaged'
		| 'other-settings'
		| 'echo'
		| 'mute-host'
		| 'gateway'
		| 'answers-everywhere'
		| 'went-silent'
		| 'port-failed';
	readonly severity: 'info' | 'warning';
	readonly sentence: string;
}

/** What was heard of one unit. */
export interface UnitEvidence {
	readonly unitId: number;
	/** Answers of any kind, exceptions too. */
	readonly answers: number;
	readonly timeouts: number;
	/** Answers that were damaged or did not fit, by the bytes that were expected: up to 16, and more. */
	readonly damagedShort: number;
	readonly damagedLong: number;
	readonly longAnswers: number;
	/** Bursts of bytes beside the answers. */
	readonly strayFrames: number;
	readonly latenciesMs: readonly number[];
}

/** What was heard of a serial port at one of its settings. */
export interface ModeEvidence {
	/** e.g. `9600 8N1` */
	readonly mode: string;
	readonly baudRate: number;
	readonly asked: number;
	/** Units that answered whole, and those that only sent damaged answers. */
	readonly answered: readonly number[];
	readonly damaged: readonly number[];
	readonly strayFrames: number;
}

export interface PortEvidence {
	readonly path: string;
	/** How the port is set for polling, e.g. `9600 8N1`; `null`: nobody polls it. */
	readonly configured: string | null;
	readonly modes: readonly ModeEvidence[];
}

interface Rule<T> {
	readonly code: Hint['code'];
	readonly severity: Hint['severity'];
	readonly holds: (evidence: T) => boolean;
	readonly sentence: (evidence: T) => string;
}

/** Largest and smallest half of the answers are this far apart when two devices take turns to be first. */
const APART_FACTOR = 3;
const APART_MS = 15;
const LEAST_LATENCIES = 6;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const mean = (numbers: readonly number[]): number => sum(numbers) / numbers.length;

/** Means of the fast and the slow answers, when there are two kinds of them. */
export function twoLatencies(
	latenciesMs: readonly number[],
): { readonly fastMs: number; readonly slowMs: number } | null {
	if (latenciesMs.length < LEAST_LATENCIES) return null;
	const sorted = latenciesMs.toSorted((one, other) => one - other);
	let cut = 0;
	let widest = 0;
	for (let k = 1; k < sorted.length; k += 1) {
		const gap = (sorted[k] ?? 0) - (sorted[k - 1] ?? 0);
		if (gap > widest) [widest, cut] = [gap, k];
	}
	// A single slow answer is a busy device, not a second one.
	if (cut < 2 || sorted.length - cut < 2) return null;
	const [fastMs, slowMs] = [mean(sorted.slice(0, cut)), mean(sorted.slice(cut))];
	const isApart = slowMs > APART_FACTOR * fastMs && slowMs - fastMs > APART_MS && widest > (slowMs - fastMs) / 2;
	return isApart ? { fastMs, slowMs } : null;
}

const damagedOf = ({ damagedShort, damagedLong }: UnitEvidence): number => damagedShort + damagedLong;

const isReserved = (unitId: number): boolean => unitId === 0 || unitId > 247;

const unitRules: readonly Rule<UnitEvidence>[] = [
	{
		code: 'unit-id-reserved',
		severity: 'warning',
		holds: ({ unitId }) => isReserved(unitId),
		sentence: ({ unitId }) =>
			unitId === 0
				? 'Unit 0 is the broadcast: on a serial line no device may answer it. Give the device an id from 1 to 247.'
				: `Unit ${unitId} is reserved: on a serial line ids end at 247. Give the device an id from 1 to 247.`,
	},
	{
		code: 'damaged-long-answers',
		severity: 'warning',
		holds: ({ damagedShort, damagedLong, answers, longAnswers }) =>
			damagedShort === 0 && damagedLong > 0 && answers > longAnswers,
		sentence: ({ unitId, damagedLong }) =>
			`Short answers of unit ${unitId} are fine, ${damagedLong} long ones were damaged: check the terminating resistors (120 ohms at both ends only), the length of the cable and its stubs, or lower the baud rate.`,
	},
	{
		code: 'address-clash',
		severity: 'warning',
		holds: ({ damagedShort }) => damagedShort > 0,
		sentence: ({ unitId, answers, damagedShort }) =>
			`${answers === 0 ? 'All' : 'Some'} answers of unit ${unitId} were damaged (${damagedShort}): two devices may have this unit id and speak at once. Switch one of them off and scan again.`,
	},
	{
		code: 'two-answers',
		severity: 'warning',
		holds: (evidence) => evidence.answers > 0 && evidence.strayFrames > 0 && damagedOf(evidence) === 0,
		sentence: ({ unitId, strayFrames }) =>
			`More bytes than one answer came when unit ${unitId} was asked (${strayFrames} times): two devices may have this unit id, or a second master is on the line.`,
	},
	{
		code: 'two-latencies',
		severity: 'info',
		holds: ({ latenciesMs }) => twoLatencies(latenciesMs) !== null,
		sentence({ unitId, latenciesMs }) {
			const { fastMs = 0, slowMs = 0 } = twoLatencies(latenciesMs) ?? {};
			return `Unit ${unitId} answers after ${Math.round(fastMs)} ms or after ${Math.round(slowMs)} ms, seldom in between: two devices may share the unit id, or a gateway in between remembers answers.`;
		},
	},
];

const modesWith = ({ modes }: PortEvidence, who: 'answered' | 'damaged'): readonly ModeEvidence[] =>
	modes.filter((mode) => mode[who].length > 0);
const isMute = (evidence: PortEvidence): boolean => modesWith(evidence, 'answered').length === 0;
const strays = ({ modes }: PortEvidence): number => sum(modes.map(({ strayFrames }) => strayFrames));
const asked = ({ modes }: PortEvidence): number => sum(modes.map((mode) => mode.asked));

/** Share of requests that were followed by stray bytes, from which on the adapter is thought to hear itself. */
const ECHO_SHARE = 0.9;
const LEAST_ASKED = 4;
const isEchoing = (evidence: PortEvidence): boolean =>
	asked(evidence) >= LEAST_ASKED && strays(evidence) >= ECHO_SHARE * asked(evidence);

const listed = (numbers: readonly number[]): string =>
	numbers.length <= 6 ? numbers.join(', ') : `${numbers.slice(0, 6).join(', ')} and ${numbers.length - 6} more`;
const unitsOf = (numbers: readonly number[]): string => `${numbers.length === 1 ? 'Unit' : 'Units'} ${listed(numbers)}`;

/** The first mode with units that is not the configured one. */
const elsewhere = (evidence: PortEvidence): ModeEvidence | undefined =>
	modesWith(evidence, 'answered').find(({ mode }) => mode !== evidence.configured);

/** The slowest mode that was damaged though a slower one was fine. */
function damagedFaster(evidence: PortEvidence): ModeEvidence | undefined {
	const fine = Math.min(...modesWith(evidence, 'answered').map(({ baudRate }) => baudRate));
	return modesWith(evidence, 'damaged').find(({ baudRate, answered }) => baudRate > fine && answered.length === 0);
}

const portRules: readonly Rule<PortEvidence>[] = [
	{
		code: 'other-settings',
		severity: 'warning',
		holds: (evidence) => evidence.configured !== null && elsewhere(evidence) !== undefined,
		sentence(evidence) {
			const { mode = '', answered = [] } = elsewhere(evidence) ?? {};
			return `${unitsOf(answered)} on ${evidence.path} ${answered.length === 1 ? 'answers' : 'answer'} at ${mode}, but the port is set to ${evidence.configured}: change the settings of the port or of the device.`;
		},
	},
	{
		code: 'echo',
		severity: 'warning',
		holds: isEchoing,
		sentence: ({ path }) =>
			`Nearly every request on ${path} was followed by bytes that are no answer: the adapter may hear what it sends itself (switch its echo off), or a second master speaks on this line.`,
	},
	{
		code: 'noise-only',
		severity: 'warning',
		holds: (evidence) =>
			isMute(evidence) && !isEchoing(evidence) && (strays(evidence) > 0 || modesWith(evidence, 'damaged').length > 0),
		sentence: ({ path }) =>
			`Bytes came on ${path}, but no whole answer: swap the wires A and B, check the terminating resistors and the bias, try more baud rates and parities, and see that no two devices have the same unit id.`,
	},
	{
		code: 'silence',
		severity: 'warning',
		holds: (evidence) => isMute(evidence) && strays(evidence) === 0 && modesWith(evidence, 'damaged').length === 0,
		sentence: ({ path }) =>
			`Not one byte came on ${path}: check that the devices have power, that A, B and the common wire are connected, that the adapter is an RS-485 one which switches to sending by itself, and the unit ids.`,
	},
	{
		code: 'fast-is-damaged',
		severity: 'warning',
		holds: (evidence) => !isMute(evidence) && damagedFaster(evidence) !== undefined,
		sentence(evidence) {
			const { mode = '' } = damagedFaster(evidence) ?? {};
			return `The line ${evidence.path} works at a low baud rate, and answers at ${mode} were damaged: check the terminating resistors and the cable before you choose a higher rate.`;
		},
	},
];

function apply<T>(rules: readonly Rule<T>[], evidence: T): readonly Hint[] {
	return rules
		.filter(({ holds }) => holds(evidence))
		.map(({ code, severity, sentence }) => ({ code, severity, sentence: sentence(evidence) }));
}

/** What the answers of one unit say about it and its wiring. */
export const unitHints = (evidence: UnitEvidence, isSerial: boolean): readonly Hint[] =>
	apply(
		unitRules.filter(({ code }) => isSerial || code !== 'unit-id-reserved'),
		evidence,
	);

/** What a sweep of a serial port says about its wiring and settings. */
export const portHints = (evidence: PortEvidence): readonly Hint[] => apply(portRules, evidence);
