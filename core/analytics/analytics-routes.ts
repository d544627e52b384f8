import type { Plugin, Request } from '@hapi/hapi';

import { actorOf, permitted } from '../http/access.ts';
import type { RouteDescription } from '../http/describe.ts';
import {
	analyticsParams,
	type IntervalQuery,
	intervalQuery,
	reportAnswer,
	reportView,
	resultsAnswer,
	type ResultsQuery,
	resultsQuery,
	resultView,
	seriesAnswer,
	seriesView,
	type SpanQuery,
	spanQuery,
	statusAnswer,
	statusView,
	trendAnswer,
	type TrendQuery,
	trendQuery,
	trendView,
} from './analytics-schema.ts';
import type { AnalysisRequest, AnalyticsService } from './analytics-service.ts';
import { interval } from './interval.ts';

type Wire<Q> = Request<{ Params: { device_id: string }; Query: Q }>;

const { auth, app } = permitted('analytics:run');

const described = (operationId: string, summary: string, answer: RouteDescription['answers'][number]) => ({
	auth,
	app: { ...app, api: { operationId, tag: 'Analytics', summary, answers: { 200: answer ?? null } } },
});

const requestOf = (request: Pick<Wire<SpanQuery>, 'auth' | 'params' | 'query' | 'active'>): AnalysisRequest => ({
	reference: request.params.device_id,
	actor: actorOf(request),
	start: request.query.start,
	end: request.query.end,
	isWanted: () => request.active(),
});

/** `/analytics` of reference 000. Registered below the prefix of its family. */
export const analyticsRoutes: Plugin<{ readonly analytics: AnalyticsService }> = {
	name: 'analytics-routes',
	register(server, { analytics }) {
		const params = analyticsParams;

		server.route({
			method: 'GET',
			path: '/analytics/telemetry/{device_id}',
			options: {
				...described('getTelemetryAnalytics', 'Telemetry of a device aggregated by interval', seriesAnswer),
				validate: { params, query: intervalQuery },
				handler: async (request: Wire<IntervalQuery>) => {
					const { device, series } = await analytics.telemetry(requestOf(request), interval(request.query.interval));
					return seriesView(device, series);
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/analytics/status/{device_id}',
			options: {
				...described('getStatusAnalysis', 'Analysis of the status history of a device', statusAnswer),
				validate: { params, query: spanQuery },
				handler: async (request: Wire<SpanQuery>) => {
					const { device, status } = await analytics.status(requestOf(request));
					return statusView(device, status);
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/analytics/trends/{device_id}',
			options: {
				...described('getTrendAnalysis', 'Trend of the telemetry of a device (linear regression)', trendAnswer),
				validate: { params, query: trendQuery },
				handler: async (request: Wire<TrendQuery>) => {
					const { device, metric, trend } = await analytics.trends(requestOf(request), request.query.metric ?? null);
					return trendView(device, metric, trend);
				},
			},
		});
		const report = described('createReport', 'Create a device report (status and trend analysis)', reportAnswer);
		server.route({
			method: 'POST',
			path: '/analytics/reports/{device_id}',
			options: {
				...report,
				// An evaluation of what is there, kept as such: no change of anything.
				app: { ...report.app, audit: false },
				validate: { params, query: trendQuery },
				handler: async (request: Wire<TrendQuery>) =>
					reportView(await analytics.report(requestOf(request), request.query.metric ?? null)),
			},
		});
		server.route({
			method: 'GET',
			path: '/analytics/results',
			options: {
				...described('listAnalyticsResults', 'Stored analysis results', resultsAnswer),
				validate: { query: resultsQuery },
				handler: async (request: Request<{ Query: ResultsQuery }>) => {
					const { analysis_type: type, device_id: device = null, skip, limit } = request.query;
					const { items } = await analytics.stored(type, device, { skip, limit }, actorOf(request));
					return items.map(resultView);
				},
			},
		});
	},
};
