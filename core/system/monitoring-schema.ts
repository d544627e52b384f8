import Joi from 'joi';

import { toIso } from '../kernel/clock.ts';
import type { ComponentHealth, MonitoringHealth } from './monitoring-health.ts';

const connection = ({ isUp }: ComponentHealth): 'connected' | 'disconnected' => (isUp ? 'connected' : 'disconnected');

const componentView = ({ isUp, responseTimeMs }: ComponentHealth) => ({
	status: isUp ? 'up' : 'down',
	response_time_ms: responseTimeMs,
});

/** The superset of references 000 and 001 (contract rule R6). */
export function healthView({ status, at, components, pipelines, activeDevices, activeAlerts }: MonitoringHealth) {
	const { documents, telemetry, mqtt, uplink } = components;
	const { running, stopped, error } = pipelines;
	return {
		status,
		timestamp: toIso(at),
		documents: connection(documents),
		telemetry: connection(telemetry),
		mqtt: connection(mqtt),
		uplink: connection(uplink),
		active_devices: activeDevices,
		active_alerts: activeAlerts,
		components: {
			documents: componentView(documents),
			telemetry: componentView(telemetry),
			mqtt: componentView(mqtt),
			uplink: componentView(uplink),
			pipelines: { status: error === 0 ? 'healthy' : 'degraded', running, stopped, error },
		},
	};
}

const count = Joi.number().integer().min(0).required();
const connected = Joi.valid('connected', 'disconnected').required();
const component = Joi.object({
	status: Joi.valid('up', 'down').required(),
	response_time_ms: Joi.number().min(0).allow(null).required(),
}).required();

export const healthAnswer = Joi.object({
	status: Joi.valid('ok', 'degraded').required(),
	timestamp: Joi.string().isoDate().required(),
	documents: connected,
	telemetry: connected,
	mqtt: connected,
	uplink: connected,
	active_devices: count,
	active_alerts: count,
	components: Joi.object({
		documents: component,
		telemetry: component,
		mqtt: component,
		uplink: component,
		pipelines: Joi.object({
			status: Joi.valid('healthy', 'degraded').required(),
			running: count,
			stopped: count,
			error: count,
		}).required(),
	}).required(),
});

export const infoAnswer = Joi.object({
	service: Joi.string().required(),
	version: Joi.string().required(),
	settings: Joi.object().unknown().required(),
	node_version: Joi.string().required(),
	platform: Joi.string().required(),
	uptime_seconds: count,
	data: Joi.object({
		used_bytes: count,
		free_bytes: count,
		total_bytes: count,
	}).required(),
});
