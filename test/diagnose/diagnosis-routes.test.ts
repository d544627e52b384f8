import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { readTemplates } from '../../config/template/template-schema.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { parseCapture } from '../../gateway/diagnose/capture.ts';
import { isReportSigned, signReport } from '../../gateway/diagnose/report-signature.ts';
import { createReplay } from '../../gateway/simulator/replay.ts';
import { startTemplateSimulator } from '../../gateway/simulator/template-simulator.ts';
import { startBox } from '../contract/kit/box.ts';
import { makeFieldAuthority } from '../fake/field-certificates.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const PERSON = { email: 'a@example.com', password: 'grey heron over the weir' };

async function scene(t: ExecutionContext) {
	const { templates } = await readTemplates(join(process.cwd(), 'config', 'template'));
	const template = templates.get('eastron-sdm630');
	if (template === undefined) throw new Error('the template is missing');
	const simulator = await startTemplateSimulator({
		devices: [{ template, unitIds: [1] }],
		places: [{ kind: 'tcp', framing: 'tcp', port: 0, baudRate: null }],
		scenario: null,
		replay: null,
		seed: 1,
		isPaced: false,
		clock: systemClock,
	});
	t.teardown(() => simulator.stop());
	const box = await startBox('gateway');
	t.teardown(() => box.stop());
	const claimed = await box.server.inject({
		method: 'POST',
		url: '/api/v1/setup/claim',
		payload: { claim_code: box.claimCode, ...PERSON },
	});
	const { access_token: token }: { readonly access_token: string } = JSON.parse(claimed.payload);
	async function call(method: string, path: string, payload?: object, prefix = '/api/v1') {
		const answer = await box.server.inject({
			method,
			url: `${prefix}${path}`,
			headers: { authorization: `Bearer ${token}` },
			...(payload && { payload }),
		});
		return { status: answer.statusCode, text: answer.payload, headers: answer.headers };
	}
	const port = simulator.lines[0]?.port ?? 0;
	async function addMeter(uid: string, unitId: number): Promise<void> {
		const line = { transport: 'tcp', host: '127.0.0.1', port };
		const connection = {
			driver: 'modbus',
			line,
			unit_id: unitId,
			template: template?.key,
			period_ms: 200,
			timeout_ms: 300,
		};
		const made = await call('POST', '/devices', { name: uid, device_uid: uid, device_type: 'meter', connection });
		t.is(made.status, 201, made.text);
	}
	return { call, addMeter, simulator, line: `/lines/${encodeURIComponent(`tcp 127.0.0.1:${port}`)}` };
}

test('a line is looked at, recorded, downloaded and reported; the download answers in the simulator', async (t) => {
	const { call, addMeter, line } = await scene(t);
	await addMeter('meter-1', 1);
	await addMeter('meter-2', 9);
	t.is((await call('GET', `${line}/capture`)).status, 404);
	const started = await call('POST', `${line}/frames`, { seconds: 60 });
	t.like(JSON.parse(started.text), { is_running: true, dropped: 0 });

	const seen = await waitFor('both units are asked', 30_000, async () => {
		const { status, text } = await call('GET', line);
		t.is(status, 200, text);
		const view = JSON.parse(text);
		return view.units.length === 2 && view.units[0].answers > 3 && view.units[1].requests > 1 ? view : null;
	});
	t.like(seen.units[0], { unit_id: 1, devices: [{ device_uid: 'meter-1', name: 'meter-1' }], timeouts: 0 });
	t.is(seen.units[0].latency.at(-1).count, seen.units[0].answers);
	t.like(seen.units[1], { unit_id: 9, answers: 0 });
	t.is(seen.units[1].exceptions[0].code, 11);

	const shown = await waitFor('frames are recorded', 30_000, async () => {
		const found = JSON.parse((await call('GET', `${line}/frames?limit=2000`)).text);
		return found.frames.length > 6 ? found : null;
	});
	t.true(shown.frames.every(({ check }: { readonly check: string }) => check === 'ok'));
	// The first one may be the answer to a request from before.
	const texts = shown.frames.map(({ text }: { readonly text: string }) => text);
	t.true(texts.slice(0, 2).some((text: string) => /^read (input|holding) registers \d+, count \d+$/.test(text)));
	const after = shown.frames.at(-1).since_start_us;
	t.true(JSON.parse((await call('GET', `${line}/frames?after_us=${after}&limit=1`)).text).frames.length <= 1);
	t.is((await call('POST', `${line}/frames`, { seconds: 0 })).status, 200);

	const { text, headers } = await call('GET', `${line}/capture`);
	t.regex(String(headers['content-disposition']), /tcp-127\.0\.0\.1-\d+\.capture\.jsonl/);
	const capture = parseCapture(text);
	t.true(capture.frames.length >= shown.frames.length);
	t.notThrows(() => createReplay(capture, null));
	t.is((await call('DELETE', `${line}/frames`)).status, 204);
	t.is((await call('GET', `${line}/capture`)).status, 404);

	const { report, signature } = JSON.parse((await call('GET', '/commissioning-report')).text);
	t.is(signature, null);
	t.is(report.created_by, PERSON.email);
	t.like(report.summary, { devices: 2, lines: 1 });
	const [one, two] = report.devices;
	t.like(one, { device_uid: 'meter-1', unit_id: 1, template: { key: 'eastron-sdm630' } });
	t.true(one.values.length > 10);
	t.like(one.values[0], { quality: 'good', unit: 'V' });
	t.true(two.mistakes.length > 0);
	t.true(report.mistakes.some((sentence: string) => sentence.includes('not enrolled')));

	const metrics = (await call('GET', '/metrics', undefined, '')).text;
	t.regex(metrics, /drawbridge_modbus_unit_requests_total\{line="tcp 127\.0\.0\.1:\d+",unit="1"\} \d+/);
	t.regex(metrics, /# TYPE drawbridge_modbus_unit_latency_seconds histogram/);
	t.regex(metrics, /latency_seconds_bucket\{line="[^"]+",unit="1",le="\+Inf"\} \d+/);
});

test('the frames before a device was lost are there when somebody comes to look', async (t) => {
	const { call, addMeter, simulator, line } = await scene(t);
	await addMeter('meter-1', 1);
	const tooLong = await call('POST', `${line}/frames`, { seconds: 901 });
	t.is(tooLong.status, 422);
	t.regex(tooLong.text, /body\.seconds: must be less than or equal to 900/);
	t.is((await call('POST', `${line}/frames`, { seconds: 604_801, until_fault: true })).status, 422);
	const started = await call('POST', `${line}/frames`, { seconds: 86_400, until_fault: true });
	t.like(JSON.parse(started.text), { is_running: true, until_fault: true, fault: null });
	const recorded = async (what: string, hasFault: boolean) =>
		waitFor(what, 15_000, async () => {
			const { recording, frames } = JSON.parse((await call('GET', `${line}/frames?limit=500`)).text);
			return frames.length > 0 && (recording.fault !== null) === hasFault && { recording, frames };
		});
	await recorded('the meter is asked', false);
	await simulator.stop();
	const { recording, frames } = await recorded('the fault', true);
	t.regex(recording.fault.reason, /^meter-1: /);
	t.true(frames.some(({ direction }: { readonly direction: string }) => direction === 'received'));
	t.true(recording.until < new Date(Date.now() + 60_000).toISOString());
});

test('a line is found by its name, slashes and blanks and all; another one is not there', async (t) => {
	const { call } = await scene(t);
	const line = { transport: 'rtu', path: '/dev/no-such-port', baud_rate: 19_200, parity: 'even' };
	const connection = { driver: 'modbus', line, unit_id: 4, template: 'eastron-sdm630' };
	const made = await call('POST', '/devices', { name: 'm', device_uid: 'm', device_type: 'meter', connection });
	t.is(made.status, 201, made.text);
	const name = 'rtu /dev/no-such-port 19200 8E1';
	const one = await waitFor('the port is tried', 30_000, async () => {
		const { status, text } = await call('GET', `/lines/${encodeURIComponent(name)}`);
		return status === 200 && JSON.parse(text).state === 'failed' ? JSON.parse(text) : null;
	});
	t.like(one, { line: name, health: { score: 0, verdict: 'poor' } });
	t.like(one.units[0], { unit_id: 4, requests: 0, devices: [{ device_uid: 'm', name: 'm' }] });
	t.regex(one.health.reasons[0], /no-such-port/);
	const [listed] = JSON.parse((await call('GET', '/lines')).text);
	t.like(listed, { line: name, health: { verdict: 'poor' } });
	t.is((await call('GET', `/lines/${encodeURIComponent(`${name}x`)}`)).status, 404);
	const { report } = JSON.parse((await call('GET', '/commissioning-report')).text);
	t.true(report.mistakes.some((sentence: string) => sentence.startsWith(`${name}: `)));
	t.is(report.devices[0].health.state, 'offline');
});

test('a signature is over the report as it was, by the key of its certificate', async (t) => {
	const authority = await makeFieldAuthority('Plant');
	const { cert: certPem, key: keyPem } = await authority.issue(['gateway']);
	const credential = { certPem, keyPem };
	const report = { created_at: 'now', lines: [{ line: 'tcp a', score: 99.5 }] };
	const signature = signReport(report, credential);
	t.true(isReportSigned(JSON.parse(JSON.stringify(report)), signature));
	t.false(isReportSigned({ ...report, created_at: 'later' }, signature));
	t.false(isReportSigned(report, { ...signature, certificate: authority.cert }));
});
