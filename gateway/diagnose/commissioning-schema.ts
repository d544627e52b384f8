import Joi from 'joi';

import { toIso } from '../../core/kernel/clock.ts';
import { timeAnswer, timeView } from '../../core/time/time-schema.ts';
import type { CommissioningReport, ReportedDevice, ReportedValue } from './commissioning-report.ts';
import { lineDiagnosisAnswer, lineDiagnosisView } from './line-diagnosis-schema.ts';

const valueView = ({ point, name, unit, value, quality, readAt, ageMs }: ReportedValue) => ({
	point,
	name,
	unit,
	// JSON has no whole numbers of 64 bits.
	value: typeof value === 'bigint' ? String(value) : value,
	quality,
	read_at: toIso(readAt),
	age_s: Math.round(ageMs / 1000),
});

const deviceView = ({ device, health, line, unit, template, values, mistakes }: ReportedDevice) => ({
	device_uid: device.uid,
	name: device.name,
	device_type: device.deviceType,
	driver: device.connection?.driver ?? null,
	line,
	unit_id: unit?.unitId ?? (device.connection?.driver === 'modbus' ? device.connection.unitId : null),
	template: template && { key: template.key, manufacturer: template.manufacturer, model: template.model },
	firmware_version: device.firmwareVersion,
	metadata: device.metadata,
	health: { state: health.state, since: toIso(health.since), reason: health.reason },
	wiring: unit && {
		...unit.health,
		latency_p50_ms: unit.latencyP50Ms,
		latency_p99_ms: unit.latencyP99Ms,
	},
	values: values.map(valueView),
	mistakes,
});

const scores = (report: CommissioningReport): readonly number[] =>
	report.lines.flatMap(({ health }) => (health.score === null ? [] : [health.score]));

/** The report in the words of REST; its text is what is signed, so the order of its members is part of it. */
export const reportView = (report: CommissioningReport) => ({
	created_at: toIso(report.createdAt),
	created_by: report.createdBy,
	gateway: {
		gateway_id: report.gateway.id,
		site: report.gateway.site,
		hostname: report.gateway.hostname,
		version: report.gateway.version,
		is_enrolled: report.gateway.isEnrolled,
	},
	clock: timeView(report.clock),
	summary: {
		devices: report.devices.length,
		devices_ok: report.devices.filter(({ health }) => health.state === 'ok').length,
		devices_with_mistakes: report.devices.filter(({ mistakes }) => mistakes.length > 0).length,
		lines: report.lines.length,
		worst_wiring_score: scores(report).length === 0 ? null : Math.min(...scores(report)),
		mistakes: report.mistakes.length + report.devices.reduce((sum, { mistakes }) => sum + mistakes.length, 0),
	},
	lines: report.lines.map((line) => lineDiagnosisView(line, true)),
	devices: report.devices.map(deviceView),
	mistakes: report.mistakes,
});

const required = { presence: 'required' } as const;
const whole = () => Joi.number().integer().min(0);
const text = () => Joi.string().allow('');
const sentences = () => Joi.array().items(Joi.string());

const deviceAnswer = Joi.object({
	device_uid: Joi.string(),
	name: text(),
	device_type: text(),
	driver: Joi.string().allow(null),
	line: Joi.string().allow(null),
	unit_id: whole().max(255).allow(null),
	template: Joi.object({ key: Joi.string(), manufacturer: text(), model: text() }).allow(null),
	firmware_version: text().allow(null),
	metadata: Joi.object().unknown(),
	health: Joi.object({
		state: Joi.valid('ok', 'degraded', 'offline', 'unknown'),
		since: Joi.string().isoDate(),
		reason: text().allow(null),
	}),
	wiring: Joi.object({
		score: whole().max(100).allow(null),
		verdict: Joi.valid('good', 'fair', 'poor', 'unknown'),
		reasons: sentences(),
		latency_p50_ms: Joi.number().min(0).allow(null),
		latency_p99_ms: Joi.number().min(0).allow(null),
	}).allow(null),
	values: Joi.array().items(
		Joi.object({
			point: Joi.string(),
			name: text(),
			unit: text(),
			value: Joi.any(),
			quality: Joi.string(),
			read_at: Joi.string().isoDate(),
			age_s: whole(),
		}).options(required),
	),
	mistakes: sentences(),
})
	.options(required)
	.label('CommissionedDevice');

export const commissioningAnswer = Joi.object({
	report: Joi.object({
		created_at: Joi.string().isoDate(),
		created_by: Joi.string(),
		gateway: Joi.object({
			gateway_id: Joi.string(),
			site: text(),
			hostname: text(),
			version: Joi.string(),
			is_enrolled: Joi.boolean(),
		}),
		clock: timeAnswer,
		summary: Joi.object({
			devices: whole(),
			devices_ok: whole(),
			devices_with_mistakes: whole(),
			lines: whole(),
			worst_wiring_score: whole().max(100).allow(null),
			mistakes: whole(),
		}),
		lines: Joi.array().items(lineDiagnosisAnswer),
		devices: Joi.array().items(deviceAnswer),
		mistakes: sentences(),
	}),
	signature: Joi.object({
		algorithm: Joi.valid('ecdsa-p256-sha256'),
		certificate: Joi.string(),
		value: Joi.string().base64(),
	})
		.allow(null)
		.description('Over a context line and the JSON text of the report; null while the gateway has no certificate'),
})
	.options(required)
	.label('CommissioningReport');
