import type { ListenSettings, TlsListenSettings } from '../../config/settings-schema.ts';
import type { LanTls } from '../../core/box/lan-tls-part.ts';
import { type Listening, listenWithRetry, NO_GRACE_MS } from '../../core/http/listen.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { mqttServer } from '../../core/mqtt/mqtt-listener.ts';
import type { Broker } from '../../core/mqtt/mqtt.ts';

export interface BrokerListenersDeps {
	readonly broker: Pick<Broker, 'admit' | 'handle'>;
	readonly settings: { readonly mqtt: ListenSettings; readonly mqttTls: TlsListenSettings };
	readonly lanTls: LanTls;
	readonly lifecycle: Lifecycle;
	readonly log: Logger;
}

/** The ports of the local broker. Over TLS devices trust the box's authority; they prove themselves by user name and password as without. */
export async function openBrokerListeners({ broker, settings, lanTls, lifecycle, log }: BrokerListenersDeps) {
	async function listen(name: string, listener: ReturnType<typeof mqttServer>, at: ListenSettings): Promise<Listening> {
		const { host, port } = at;
		const listening = await listenWithRetry({ name, listener, host, port, log, graceMs: NO_GRACE_MS });
		return lifecycle.own(`${name} listener`, listening);
	}

	const mqtt = await listen('mqtt', mqttServer({ ...broker, log }), settings.mqtt);
	if (!settings.mqttTls.enabled) return { mqtt, mqttTls: null };
	// Without the authority in it: with it, devices would have to show certificates.
	const { key, cert } = lanTls.current();
	const tls = { key, cert, onChange: lanTls.onChange };
	return { mqtt, mqttTls: await listen('mqtt-tls', mqttServer({ ...broker, log, tls }), settings.mqttTls) };
}
