import { member } from '../../system/kit/rest.ts';
import type { Case, Plan } from '../kit/case.ts';
import type { Stage } from '../kit/stage.ts';
import { expecting } from './expecting.ts';

const SPAN = { start: '2025-01-15T10:00:00Z', end: '2025-01-15T12:00:00Z' };

/** Two hours of readings: a mean of 23.5 and of 24.5 degrees, rising by 1 an hour. */
const READINGS: Readonly<Record<string, number>> = {
	'2025-01-15T10:00:00Z': 23.25,
	'2025-01-15T10:30:00Z': 23.75,
	'2025-01-15T11:00:00Z': 24.25,
	'2025-01-15T11:30:00Z': 24.75,
};

async function measuredDevice(stage: Stage): Promise<string> {
	const device = await stage.newDevice(null);
	// One reading has no humidity: temperature is the metric with most samples.
	for (const [index, [at, temperature]] of Object.entries(READINGS).entries())
		await stage.newTelemetry(device, index === 0 ? { temperature } : { temperature, humidity: 45 }, at);
	return device;
}

/** What is calculated once for all cases that only read. */
const devices = new WeakMap<Stage, Promise<string>>();

function sharedDevice(stage: Stage): Promise<string> {
	const known = devices.get(stage) ?? measuredDevice(stage);
	devices.set(stage, known);
	return known;
}

const TREND = { count: 4, mean: 24, min: 23.25, max: 24.75, slope: 1, trend: 'increasing' };

const endBeforeStart: Case = {
	name: 'an end that is not later than the start',
	status: 422,
	code: 'BUSINESS_RULE_VIOLATION',
	async run(stage, operation) {
		const query = { start: SPAN.end, end: SPAN.start };
		return stage.sendAs('manager', operation, { path: { device_id: await sharedDevice(stage) }, query });
	},
};

const withOffset = (verify: NonNullable<Case['verify']>): Case => ({
	name: 'times with another offset',
	status: 200,
	async run(stage, operation) {
		const query = { start: '2025-01-15T11:00:00+01:00', end: '2025-01-15T07:00:00-05:00' };
		return stage.sendAs('manager', operation, { path: { device_id: await sharedDevice(stage) }, query });
	},
	verify,
});

const onMetric = (metric: string, verify: NonNullable<Case['verify']>): Case => ({
	name: `the metric ${metric}`,
	status: 200,
	async run(stage, operation) {
		const query = { ...SPAN, metric };
		return stage.sendAs('manager', operation, { path: { device_id: await sharedDevice(stage) }, query });
	},
	verify,
});

const spanned: Plan['request'] = async (stage) => ({ path: { device_id: await sharedDevice(stage) }, query: SPAN });

/** Without a span the last 24 hours are meant, in which nothing was measured. */
const lastDay = (verify: NonNullable<Case['verify']>): Case => ({
	name: 'without a span: the last 24 hours',
	status: 200,
	run: async (stage, operation) =>
		stage.sendAs('manager', operation, { path: { device_id: await sharedDevice(stage) } }),
	verify,
});

const hourly = [
	{ timestamp: '2025-01-15T10:00:00.000Z', temperature: 23.5, humidity: 45 },
	{ timestamp: '2025-01-15T11:00:00.000Z', temperature: 24.5, humidity: 45 },
];

/** Where records differ from those wanted, whatever the order of their members. */
function recordMistakes(body: unknown, wanted: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
	return [
		...expecting({ count: wanted.length })({ body }),
		...wanted.flatMap((record, index) => expecting(record)({ body: member(member(body, 'records'), String(index)) })),
	];
}

const telemetry: Plan = {
	request: spanned,
	verify: ({ body }) => recordMistakes(body, hourly),
	cases: [
		endBeforeStart,
		withOffset(({ body }) => recordMistakes(body, hourly)),
		{
			name: 'another interval, and the device by its uid',
			status: 200,
			async run(stage, operation) {
				const uid = stage.unique('analysed');
				const device = await stage.newDevice(null, { device_uid: uid });
				for (const [at, temperature] of Object.entries(READINGS)) await stage.newTelemetry(device, { temperature }, at);
				const query = { ...SPAN, interval: '30m' };
				return stage.sendAs('manager', operation, { path: { device_id: uid }, query });
			},
			verify: ({ body }) =>
				recordMistakes(
					body,
					Object.values(READINGS).map((temperature) => ({ temperature })),
				),
		},
	],
};

const report: Plan = {
	request: spanned,
	verify: ({ body }) => expecting(TREND)({ body: member(body, 'trends') }),
	cases: [
		endBeforeStart,
		withOffset(({ body }) => expecting(TREND)({ body: member(body, 'trends') })),
		onMetric('humidity', ({ body }) =>
			expecting({ count: 3, mean: 45, slope: 0, trend: 'stable' })({ body: member(body, 'trends') }),
		),
		lastDay(({ body }) =>
			expecting({ count: 0, mean: null, slope: null, trend: null })({ body: member(body, 'trends') }),
		),
	],
};

const statusAnalysis: Plan = {
	request: spanned,
	cases: [
		endBeforeStart,
		withOffset(() => []),
		lastDay(({ body }) => (member(body, 'total_events') === undefined ? ['no events are counted'] : [])),
	],
};

const trends: Plan = {
	request: spanned,
	verify: expecting({ ...TREND }),
	cases: [
		endBeforeStart,
		withOffset(expecting({ ...TREND })),
		onMetric('humidity', expecting({ metric: 'humidity', count: 3, mean: 45, slope: 0, trend: 'stable' })),
		lastDay(
			expecting({ metric: null, count: 0, mean: null, std: null, min: null, max: null, slope: null, trend: null }),
		),
	],
};

const results: Plan = {
	async request(stage) {
		const device = await sharedDevice(stage);
		await stage.callAs('manager', 'POST', `/analytics/reports/${device}?start=${SPAN.start}&end=${SPAN.end}`);
		return { query: { analysis_type: 'report', device_id: device } };
	},
	verify: ({ body }, { query }) => {
		const newest = member(body, '0');
		return [
			...expecting({ analysis_type: 'report', device_id: query?.['device_id'] })({ body: newest }),
			...expecting(TREND)({ body: member(member(newest, 'result'), 'trends') }),
		];
	},
	cases: [
		...['status', 'trends'].map((type): Case => ({
			name: `the ${type} part of a report`,
			status: 200,
			async run(stage, operation) {
				const { query } = await results.request(stage, null, null);
				return stage.sendAs('manager', operation, { query: { ...query, analysis_type: type, limit: '1' } });
			},
			verify: ({ body }) => expecting({ analysis_type: type })({ body: member(body, '0') }),
		})),
		...[{ analysis_type: 'horoscope' }, { analysis_type: 'report', device_id: 'no-such-address' }].map(
			(query): Case => ({
				name: `what matches nothing: ${Object.values(query).join(' of ')}`,
				status: 200,
				run: (stage, operation) => stage.sendAs('manager', operation, { query }),
				verify: ({ body }) => (Array.isArray(body) && body.length === 0 ? [] : ['not an empty list']),
			}),
		),
	],
};

/** Aggregates, reports and trends. */
export const analyticsPlans: Readonly<Record<string, Plan>> = {
	getTelemetryAnalytics: telemetry,
	createReport: report,
	getStatusAnalysis: statusAnalysis,
	getTrendAnalysis: trends,
	listAnalyticsResults: results,
};
