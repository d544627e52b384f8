import { listenWithRetry } from '../../core/http/listen.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { mqttServer, type MqttServerDeps } from '../../core/mqtt/mqtt-listener.ts';

/** An MQTT server on a free port of loopback. */
export async function openMqttPort(
	deps: Pick<MqttServerDeps, 'handle' | 'tls'> & Partial<Pick<MqttServerDeps, 'admit'>>,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
	const listener = mqttServer({ admit: () => true, ...deps, log: silentLog });
	const listening = await listenWithRetry({
		name: 'mqtt',
		listener,
		host: '127.0.0.1',
		port: 0,
		log: silentLog,
		graceMs: 50,
	});
	return { port: await listening.ready, stop: () => listening.stop() };
}
