import type { MqttRefusal } from '../mqtt/mqtt.ts';
import type { AuditLog } from './audit.ts';

/** Writes down what a broker refuses: connections, and topics beyond an account's own. */
export const auditMqtt =
	(audit: Pick<AuditLog, 'refused'>) =>
	({ what, username, address, topic, reason }: MqttRefusal): void =>
		audit.refused({
			action: `mqtt-${what}`,
			outcome: 'refused',
			actor: null,
			tenantId: null,
			from: address,
			target: topic === null ? username : `${username ?? ''} ${topic}`,
			reason,
			before: null,
			after: null,
			requestId: null,
		});
