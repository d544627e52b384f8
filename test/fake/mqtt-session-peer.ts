import { packet, rawPeer, text } from './mqtt-peer.ts';

/** CONNECT flags of 3.1.1 section 3.1.2.3: user name and password, with or without "clean session". */
const LOGIN = 0xc0;
const CLEAN = 0x02;

/** A CONNECT that asks for a session that outlives the connection. */
export const persistentConnect = (username: string, clientId = 'c', isClean = false): Buffer =>
	packet(
		0x10,
		text('MQTT'),
		Buffer.from([4, LOGIN | (isClean ? CLEAN : 0), 0, 0]),
		...[clientId, username, 'right'].map(text),
	);

/** One PUBLISH as it was heard. */
export interface HeardPublish {
	readonly topic: string;
	readonly payload: string;
	readonly qos: number;
	readonly dup: boolean;
	readonly messageId: number;
}

interface HeardPacket {
	readonly first: number;
	readonly body: Buffer;
}

/** Cuts what was heard into whole packets. */
function packetsOf(heard: Buffer): HeardPacket[] {
	const packets: HeardPacket[] = [];
	let at = 0;
	while (at + 1 < heard.length) {
		let length = 0;
		let next = at + 1;
		let byte = 0x80;
		for (let shift = 0; byte >= 0x80 && next < heard.length; shift += 7) {
			byte = heard[next] ?? 0;
			length |= (byte & 0x7f) << shift;
			next += 1;
		}
		if (byte >= 0x80 || next + length > heard.length) break;
		packets.push({ first: heard[at] ?? 0, body: heard.subarray(next, next + length) });
		at = next + length;
	}
	return packets;
}

export function publishesIn(heard: Buffer): readonly HeardPublish[] {
	return packetsOf(heard)
		.filter(({ first }) => first >> 4 === 3)
		.map(({ first, body }) => {
			const qos = (first >> 1) & 3;
			const end = 2 + body.readUInt16BE(0);
			return {
				topic: body.toString('utf8', 2, end),
				payload: body.toString('utf8', qos === 0 ? end : end + 2),
				qos,
				dup: (first & 8) !== 0,
				messageId: qos === 0 ? 0 : body.readUInt16BE(end),
			};
		});
}

/** Types and first bytes of all packets heard, for what is no PUBLISH. */
export const packetTypesIn = (heard: Buffer): readonly number[] => packetsOf(heard).map(({ first }) => first >> 4);

/** A client that asks for a session; resolves once it heard CONNACK. */
export async function sessionPeer(port: number, username: string, clientId = 'c', isClean = false) {
	const peer = rawPeer(port);
	peer.send(persistentConnect(username, clientId, isClean));
	await peer.until((heard) => heard.length >= 4);
	const messages = (): readonly HeardPublish[] => publishesIn(peer.heard());
	return {
		...peer,
		sessionPresent: peer.heard()[2] === 1,
		returnCode: peer.heard()[3],
		messages,
		payloads: (): readonly string[] => messages().map(({ payload }) => payload),
		async subscribe(filter: string, qos: 0 | 1 | 2): Promise<void> {
			const before = packetTypesIn(peer.heard()).filter((type) => type === 9).length;
			peer.send(packet(0x82, Buffer.from([0, 1]), text(filter), Buffer.from([qos])));
			await peer.until((heard) => packetTypesIn(heard).filter((type) => type === 9).length > before);
		},
		/** PUBACK. */
		acknowledge: (messageId: number): void => peer.send(packet(0x40, Buffer.from([messageId >> 8, messageId & 0xff]))),
		/** Resolves when what was sent so far has been handled. */
		async roundTrip(): Promise<void> {
			const before = packetTypesIn(peer.heard()).filter((type) => type === 13).length;
			peer.send(packet(0xc0));
			await peer.until((heard) => packetTypesIn(heard).filter((type) => type === 13).length > before);
		},
		async leave(): Promise<void> {
			peer.send(packet(0xe0));
			await peer.closed();
		},
	};
}
