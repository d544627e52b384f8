import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import test, { type ExecutionContext } from 'ava';

import { parseCapture } from '../../gateway/diagnose/capture.ts';
import { startBox } from '../contract/kit/box.ts';
import { nmeaSentence } from '../fake/stream-bench.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const PERSON = { email: 'a@example.com', password: 'grey heron over the weir' };
const GGA = nmeaSentence('GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,');

/** A serial server in raw mode: what is said goes to whoever is connected. */
async function startSpeaker(t: ExecutionContext) {
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on('error', () => {}).on('close', () => sockets.delete(socket));
	});
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve);
	});
	t.teardown(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on TCP has such an address
	const { port } = server.address() as AddressInfo;
	return {
		port,
		isHeard: () => sockets.size > 0,
		say(text: string) {
			for (const socket of sockets) socket.write(text, 'latin1');
		},
	};
}

test('the line of a serial device is looked at, recorded, downloaded and reported like any other', async (t) => {
	const speaker = await startSpeaker(t);
	const box = await startBox('gateway');
	t.teardown(() => box.stop());
	const claimed = await box.server.inject({
		method: 'POST',
		url: '/api/v1/setup/claim',
		payload: { claim_code: box.claimCode, ...PERSON },
	});
	const { access_token: token }: { readonly access_token: string } = JSON.parse(claimed.payload);
	async function call(method: string, path: string, payload?: object, prefix = '/api/v1') {
		const headers = { authorization: `Bearer ${token}` };
		const answer = await box.server.inject({ method, url: `${prefix}${path}`, headers, ...(payload && { payload }) });
		return { status: answer.statusCode, text: answer.payload, headers: answer.headers };
	}

	const connection = {
		driver: 'serial',
		line: { transport: 'socket', host: '127.0.0.1', port: speaker.port },
		template: 'nmea-0183-gnss',
		period_ms: 1_000,
		timeout_ms: 60_000,
	};
	const made = await call('POST', '/devices', { name: 'GPS', device_uid: 'gps', device_type: 'sensor', connection });
	t.is(made.status, 201, made.text);
	const name = `socket 127.0.0.1:${speaker.port}`;
	const line = `/lines/${encodeURIComponent(name)}`;
	await waitFor('the gateway listens', 15_000, async () => (speaker.isHeard() ? true : null));

	const started = await call('POST', `${line}/frames`, { seconds: 60 });
	t.like(JSON.parse(started.text), { is_running: true, dropped: 0 });
	speaker.say(`noise${GGA}${GGA.replace('545.4', '945.4')}`);
	const seen = await waitFor('frames are counted', 15_000, async () => {
		const { status, text } = await call('GET', line);
		t.is(status, 200, text);
		const view = JSON.parse(text);
		return view.stream.checksum_errors > 0 ? view : null;
	});
	t.deepEqual(seen.stream, {
		device: { device_uid: 'gps', name: 'GPS' },
		is_asked: false,
		frames: 1,
		checksum_errors: 1,
		framing_errors: 1,
		received_bytes: 5 + 2 * GGA.length,
		sent_bytes: 0,
	});
	t.like(seen, { line: name, units: [], crc_errors: 1, health: { verdict: 'unknown' } });

	const { frames, recording } = JSON.parse((await call('GET', `${line}/frames`)).text);
	t.true(recording.is_running);
	t.deepEqual(
		frames.map(({ check }: { readonly check: string }) => check),
		['bad', 'ok', 'bad'],
	);
	t.like(frames[0], { direction: 'received', text: 'no frame: noise', unit_id: null, function: null });
	const { text, headers } = await call('GET', `${line}/capture`);
	t.regex(String(headers['content-disposition']), /socket-127\.0\.0\.1-\d+\.capture\.jsonl/);
	t.is(parseCapture(text).framing, 'raw');

	const metrics = (await call('GET', '/metrics', undefined, '')).text;
	t.regex(metrics, /drawbridge_serial_frames_total\{line="socket 127\.0\.0\.1:\d+"\} 1/);
	t.regex(metrics, /drawbridge_serial_checksum_errors_total\{line="socket [^"]+"\} 1/);

	const { report } = JSON.parse((await call('GET', '/commissioning-report')).text);
	t.like(report.devices[0], { device_uid: 'gps', driver: 'serial', line: name, unit_id: null });
	t.like(report.lines[0], { line: name, stream: { frames: 1 } });
	t.is((await call('DELETE', `${line}/frames`)).status, 204);
	t.is((await call('GET', `${line}/capture`)).status, 404);
});
