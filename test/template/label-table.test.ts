import { fileURLToPath } from 'node:url';

import test from 'ava';

import { labelsOfGroup, labelsOfKey } from '../../config/template/label-table.ts';
import { parseTemplate, readTemplates } from '../../config/template/template-schema.ts';

const { templates } = await readTemplates(fileURLToPath(new URL('../../../config/template/', import.meta.url)));

const cases: readonly (readonly [key: string, ko: string, tr: string])[] = [
	['voltage_l1', '전압 L1', 'Gerilim L1'],
	['voltage_l1_l2', '전압 L1-L2', 'Gerilim L1-L2'],
	['active_power', '유효전력', 'Aktif güç'],
	['import_energy', '수전 전력량', 'Çekilen enerji'],
	['export_energy_l3', '송전 전력량 L3', 'Verilen enerji L3'],
	['import_reactive_energy_t2', '수전 무효전력량 T2', 'Çekilen reaktif enerji T2'],
	['pv2_voltage', '태양광2 전압', 'PV2 gerilimi'],
	['battery_soc', '배터리 충전율', 'Batarya doluluk oranı'],
	['battery2_charge_energy_today', '오늘 배터리2 충전 전력량', 'Batarya2 şarj enerjisi, bugün'],
	['active_power_demand_max', '유효전력 최대 수요', 'Aktif güç, en yüksek talep'],
	['voltage_ln_avg', '평균 상전압', 'Gerilim, faz-nötr ortalaması'],
	['thd_current_l2', '전류 고조파 왜형률 L2', 'Akım THD L2'],
	['relay_12', '릴레이 12', 'Röle 12'],
	['inverter_temperature', '인버터 온도', 'İnverter sıcaklığı'],
];

for (const [key, ko, tr] of cases) {
	test(`${key} is said in Korean and Turkish`, (t) => {
		t.deepEqual(labelsOfKey(key), { ko, tr });
	});
}

test('a key of a device alone has no usual words', (t) => {
	for (const key of [
		'x',
		'l1',
		'_l1',
		'constructor',
		'toString',
		'constructor_l1',
		'battery_',
		'comfort_wheel_setting',
	])
		t.is(labelsOfKey(key), null, key);
});

test('the words have no gaps, and most points of the library have some', (t) => {
	let points = 0;
	let named = 0;
	for (const template of templates.values()) {
		for (const point of template.points) {
			points += 1;
			const { ko = null, tr = null } = point.labels ?? {};
			if (ko === null || tr === null) continue;
			named += 1;
			t.notRegex(ko + tr, /[{}#]|undefined/, point.key);
		}
		for (const group of template.groups ?? []) t.deepEqual(group.labels, labelsOfGroup(group.key) ?? t.fail(group.key));
	}
	t.true(named / points > 0.75, `${named} of ${points}`);
});

test('a file has the last word', (t) => {
	const point = { key: 'voltage_l1', name: 'U1', function: 4, address: 0, count: 1, type: 'uint16', byte_order: 'AB' };
	const { points } = parseTemplate('acme', {
		manufacturer: 'Acme',
		model: 'A',
		category: 'meter',
		transports: ['rtu'],
		points: [{ ...point, labels: { tr: 'Faz 1' } }],
	});
	t.deepEqual(points[0]?.labels, { ko: '전압 L1', tr: 'Faz 1' });
});

test('a key of many endings costs no more than its letters', (t) => {
	const key = `a${'_demand_max'.repeat(11)}`;
	// Each of its endings fits in two ways: with both tried, so many keys would take longer than a test may.
	const found = Array.from({ length: 10_000 }, () => labelsOfKey(key));
	t.true(found.every((labels) => labels === null));
	t.deepEqual(labelsOfKey('voltage_demand_max'), { ko: '전압 최대 수요', tr: 'Gerilim, en yüksek talep' });
});
