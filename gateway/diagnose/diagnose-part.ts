import type { DeviceTemplate } from '../../config/template/template.ts';
import type { SettingsMistake } from '../../config/settings-fault.ts';
import type { TelemetryPart } from '../../core/box/telemetry-part.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Credential } from '../../core/pki/certificate.ts';
import type { Metrics } from '../../core/system/metrics.ts';
import type { TimeKeeper } from '../../core/time/time-keeper.ts';
import type { DriverPart } from '../driver/driver-part.ts';
import { createCommissioningReport, type ReportedGateway } from './commissioning-report.ts';
import { commissioningRoutes } from './commissioning-routes.ts';
import { createLineDiagnoses } from './line-diagnoses.ts';
import { lineDiagnosisRoutes } from './line-diagnosis-routes.ts';
import { addLineMetrics, addStreamMetrics } from './line-metrics.ts';

export interface DiagnosePartDeps {
	readonly drivers: Pick<DriverPart, 'lines' | 'busNamed' | 'streamNamed' | 'lineNameOf'>;
	readonly telemetry: Pick<TelemetryPart, 'devices' | 'latest'>;
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	readonly mistakes: readonly SettingsMistake[];
	readonly gateway: () => ReportedGateway;
	readonly credential: () => Credential | null;
	readonly time: Pick<TimeKeeper, 'status'>;
	readonly clock: Clock;
}

/** What looks at the lines: counters of each unit, recorded frames, the hand-over report. */
export function openDiagnosis(deps: DiagnosePartDeps) {
	const { drivers, telemetry, templates, mistakes, gateway, credential, time, clock } = deps;
	const { devices, latest } = telemetry;
	const lines = createLineDiagnoses({
		lines: drivers.lines,
		bus: drivers.busNamed,
		stream: drivers.streamNamed,
		devices: () => devices.all(),
		nameOf: drivers.lineNameOf,
		clock,
	});
	devices.listen({
		health(device, { state, reason }) {
			if (state === 'offline') lines.lost(device, reason ?? 'offline');
		},
	});
	const makeReport = createCommissioningReport({
		gateway,
		clock: time.status,
		lines: () => lines.all(),
		lineNameOf: drivers.lineNameOf,
		devices: () => devices.all(),
		healthOf: (device) => devices.health(device),
		latestOf: ({ id }) => latest.of(id),
		template: (key) => templates.get(key),
		templateMistakes: mistakes.map(({ path, message }) => `${path}: ${message}`),
	});
	const routes: readonly HttpPart[] = [
		part(lineDiagnosisRoutes, { lines }, '/api/v1'),
		part(commissioningRoutes, { makeReport, credential, clock }, '/api/v1'),
	];
	return {
		routes,
		addMetrics(metrics: Metrics): void {
			addLineMetrics(metrics, () =>
				drivers.lines().flatMap(({ line }) => {
					const bus = drivers.busNamed(line);
					return bus === null ? [] : [{ line, meter: bus.meter }];
				}),
			);
			addStreamMetrics(metrics, () =>
				drivers.lines().flatMap(({ line, crcErrors: checksumErrors }) => {
					const stream = drivers.streamNamed(line);
					return stream === null ? [] : [{ line, counters: stream.counters, checksumErrors }];
				}),
			);
		},
	};
}
