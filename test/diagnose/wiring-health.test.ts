import test from 'ava';

import { type WiringFacts, wiringHealth } from '../../gateway/diagnose/wiring-health.ts';

const sound: WiringFacts = {
	requests: 10_000,
	answers: 10_000,
	timeouts: 0,
	damaged: 0,
	late: 0,
	foreignFrames: 0,
	echoFrames: 0,
	noiseBytes: 0,
	skippedPeriods: 0,
	latencyP50Ms: 20,
	latencyP99Ms: 40,
};

test('a sound line has nothing to be said against it', (t) => {
	t.deepEqual(wiringHealth(sound), { score: 100, verdict: 'good', reasons: [] });
});

test('too few requests are no ground for a judgement', (t) => {
	t.like(wiringHealth({ ...sound, requests: 19 }), { score: null, verdict: 'unknown' });
});

const findings = [
	{
		facts: { timeouts: 10 },
		verdict: 'good',
		reason: /0\.10 % of the requests had no answer \(10 of 10000\): check power/,
	},
	{ facts: { timeouts: 500 }, verdict: 'fair', reason: /5\.0 % of the requests/ },
	{ facts: { timeouts: 10_000 }, verdict: 'poor', reason: /100\.0 %/ },
	{ facts: { damaged: 100 }, verdict: 'fair', reason: /damaged \(100\): check termination/ },
	{ facts: { damaged: 300 }, verdict: 'poor', reason: /3\.0 % of the answers were damaged/ },
	{ facts: { late: 200 }, verdict: 'good', reason: /after their time \(200\)/ },
	{ facts: { noiseBytes: 4000 }, verdict: 'fair', reason: /4000 bytes of noise/ },
	{ facts: { foreignFrames: 1 }, verdict: 'fair', reason: /another master/ },
	{ facts: { echoFrames: 10_000 }, verdict: 'good', reason: /hears what it sends/ },
	{
		facts: { latencyP99Ms: 900 },
		verdict: 'good',
		reason: /one answer in a hundred takes 900 ms, the usual one 20 ms/,
	},
	{ facts: { skippedPeriods: 300 }, verdict: 'good', reason: /300 periods were skipped/ },
] as const;

for (const { facts, verdict, reason } of findings) {
	test(`${JSON.stringify(facts)} of 10 000 requests makes a line ${verdict}`, (t) => {
		const health = wiringHealth({ ...sound, ...facts });
		t.is(health.verdict, verdict, String(health.score));
		t.is(health.reasons.length, 1);
		t.regex(health.reasons[0] ?? '', reason);
	});
}

test('the dearest trouble is said first, and no line is worse than 0', (t) => {
	const health = wiringHealth({ ...sound, timeouts: 9000, damaged: 1000, foreignFrames: 3 });
	t.is(health.score, 0);
	t.regex(health.reasons[0] ?? '', /no answer/);
	t.regex(health.reasons.at(-1) ?? '', /another master/);
});
