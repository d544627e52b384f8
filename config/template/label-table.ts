import type { Labels } from './template.ts';

/** Korean and Turkish. */
type Words = readonly [ko: string, tr: string];

/** Turkish says a quantity in another form when it belongs to something: `Gerilim`, but `Batarya gerilimi`. */
type Quantity = readonly [ko: string, tr: string, trOwned: string];

const quantities: Readonly<Record<string, Quantity>> = {
	voltage: ['전압', 'Gerilim', 'gerilimi'],
	current: ['전류', 'Akım', 'akımı'],
	power: ['전력', 'Güç', 'gücü'],
	active_power: ['유효전력', 'Aktif güç', 'aktif gücü'],
	reactive_power: ['무효전력', 'Reaktif güç', 'reaktif gücü'],
	apparent_power: ['피상전력', 'Görünür güç', 'görünür gücü'],
	power_factor: ['역률', 'Güç faktörü', 'güç faktörü'],
	frequency: ['주파수', 'Frekans', 'frekansı'],
	energy: ['전력량', 'Enerji', 'enerjisi'],
	active_energy: ['유효전력량', 'Aktif enerji', 'aktif enerjisi'],
	reactive_energy: ['무효전력량', 'Reaktif enerji', 'reaktif enerjisi'],
	apparent_energy: ['피상전력량', 'Görünür enerji', 'görünür enerjisi'],
	charge_energy: ['충전 전력량', 'Şarj enerjisi', 'şarj enerjisi'],
	discharge_energy: ['방전 전력량', 'Deşarj enerjisi', 'deşarj enerjisi'],
	charge_power: ['충전 전력', 'Şarj gücü', 'şarj gücü'],
	discharge_power: ['방전 전력', 'Deşarj gücü', 'deşarj gücü'],
	temperature: ['온도', 'Sıcaklık', 'sıcaklığı'],
	soc: ['충전율', 'Doluluk', 'doluluk oranı'],
	soh: ['건강도', 'Sağlık', 'sağlık durumu'],
	cycles: ['충방전 횟수', 'Çevrim sayısı', 'çevrim sayısı'],
	angle: ['위상각', 'Açı', 'açısı'],
	unbalance: ['불평형률', 'Dengesizlik', 'dengesizliği'],
};

/** What a quantity belongs to, as the first word of a key. */
const owners: Readonly<Record<string, Words>> = {
	battery: ['배터리', 'Batarya'],
	grid: ['계통', 'Şebeke'],
	meter: ['계량기', 'Sayaç'],
	load: ['부하', 'Yük'],
	pv: ['태양광', 'PV'],
	dc: ['직류', 'DC'],
	ac: ['교류 출력', 'AC çıkış'],
	eps: ['비상 출력', 'Acil çıkış'],
	backup: ['비상 출력', 'Yedek çıkış'],
	output: ['출력', 'Çıkış'],
	inverter: ['인버터', 'İnverter'],
	generator: ['발전기', 'Jeneratör'],
	bus: ['버스', 'Bara'],
	heatsink: ['방열판', 'Soğutucu'],
	ambient: ['주위', 'Ortam'],
	module: ['모듈', 'Modül'],
	cabinet: ['함체', 'Pano'],
	transformer: ['변압기', 'Trafo'],
	outdoor: ['실외', 'Dış'],
	room: ['실내', 'Oda'],
	import: ['수전', 'Çekilen'],
	export: ['송전', 'Verilen'],
	total: ['총', 'Toplam'],
	voltage: ['전압', 'Gerilim'],
	current: ['전류', 'Akım'],
};

/** Owners that are adjectives in Turkish: what follows keeps its plain form. */
const adjectives: ReadonlySet<string> = new Set(['import', 'export', 'total']);

/** What stands behind a quantity, as the last word of a key; `{}` is all before it. */
const endings: readonly (readonly [ending: string, ko: string, tr: string])[] = [
	['_demand_max', '{} 최대 수요', '{}, en yüksek talep'],
	['_demand', '{} 수요', '{}, talep'],
	['_today', '오늘 {}', '{}, bugün'],
	['_total', '누적 {}', '{}, toplam'],
	['_ln_avg', '평균 상{}', '{}, faz-nötr ortalaması'],
	['_ll_avg', '평균 선간{}', '{}, fazlar arası ortalama'],
	['_avg', '평균 {}', '{}, ortalama'],
	['_max', '최대 {}', '{}, en yüksek'],
	['_min', '최소 {}', '{}, en düşük'],
	['_partial', '부분 {}', '{}, kısmi'],
	['_sf', '{} 배율 지수', '{}, ölçek üssü'],
	['_n', '중성선 {}', '{}, nötr'],
];

/** Keys that are said as a whole. */
const whole: Readonly<Record<string, Words>> = {
	serial_number: ['일련번호', 'Seri numarası'],
	manufacturer_name: ['제조사', 'Üretici'],
	model_name: ['모델명', 'Model adı'],
	model_code: ['식별 코드', 'Tanıma kodu'],
	device_type: ['기기 종류', 'Cihaz türü'],
	firmware_version: ['펌웨어 버전', 'Yazılım sürümü'],
	hardware_version: ['하드웨어 버전', 'Donanım sürümü'],
	part_number: ['부품 번호', 'Parça numarası'],
	modbus_address: ['Modbus 주소', 'Modbus adresi'],
	serial_baud: ['통신 속도', 'İletişim hızı'],
	serial_parity_stop: ['패리티와 정지 비트', 'Eşlik ve dur bitleri'],
	clock: ['시계', 'Saat'],
	rated_power: ['정격 전력', 'Anma gücü'],
	run_state: ['운전 상태', 'Çalışma durumu'],
	device_status: ['기기 상태', 'Cihaz durumu'],
	charging_state: ['충전 상태', 'Şarj durumu'],
	battery_state: ['배터리 상태', 'Batarya durumu'],
	battery_status: ['배터리 상태', 'Batarya durumu'],
	work_mode: ['운전 모드', 'Çalışma modu'],
	storage_mode: ['저장 모드', 'Depolama modu'],
	mode: ['모드', 'Mod'],
	error_code: ['오류 코드', 'Hata kodu'],
	fault_code: ['고장 코드', 'Arıza kodu'],
	import_energy: ['수전 전력량', 'Çekilen enerji'],
	export_energy: ['송전 전력량', 'Verilen enerji'],
	import_power: ['수전 전력', 'Çekilen güç'],
	export_power: ['송전 전력', 'Verilen güç'],
	energy_total: ['누적 발전량', 'Toplam üretim'],
	energy_today: ['오늘 발전량', 'Bugünkü üretim'],
	pv_energy_total: ['누적 태양광 발전량', 'Toplam PV üretimi'],
	pv_energy_today: ['오늘 태양광 발전량', 'Bugünkü PV üretimi'],
	load_energy: ['부하 사용량', 'Yük tüketimi'],
	cos_phi: ['코사인 파이', 'Cos φ'],
	phase_angle: ['위상각', 'Faz açısı'],
	thd_voltage: ['전압 고조파 왜형률', 'Gerilim THD'],
	thd_current: ['전류 고조파 왜형률', 'Akım THD'],
	rotation_field: ['회전 방향', 'Faz dönüş yönü'],
	phase_sequence: ['상순', 'Faz sırası'],
	active_tariff: ['적용 요금제', 'Geçerli tarife'],
	ct_ratio: ['변류비', 'Akım trafosu oranı'],
	vt_ratio: ['변압비', 'Gerilim trafosu oranı'],
	demand_time: ['수요 시간', 'Talep süresi'],
	digital_inputs: ['디지털 입력', 'Dijital girişler'],
	digital_outputs: ['디지털 출력', 'Dijital çıkışlar'],
	hours_run: ['가동 시간', 'Çalışma süresi'],
	humidity: ['습도', 'Nem'],
	efficiency: ['효율', 'Verim'],
	current_limit: ['전류 제한', 'Akım sınırı'],
	export_limit: ['송전 제한', 'Verme sınırı'],
	grid_setpoint: ['계통 설정값', 'Şebeke ayar değeri'],
	relay_all: ['모든 릴레이', 'Tüm röleler'],
};

/** Keys with a number in them, `#`. */
const numbered: readonly (readonly [pattern: RegExp, ko: string, tr: string])[] = [
	[/^relay_(\d+)$/, '릴레이 #', 'Röle #'],
	[/^input_(\d+)$/, '입력 #', 'Giriş #'],
	[/^fault_(\d+)$/, '고장 #', 'Arıza #'],
	[/^alarm_(\d+)$/, '경보 #', 'Alarm #'],
	[/^event_(\d+)$/, '이벤트 #', 'Olay #'],
];

/** Names of the groups that templates share. */
const groups: Readonly<Record<string, Words>> = {
	identity: ['기기 정보', 'Kimlik'],
	status: ['상태', 'Durum'],
	voltage: ['전압', 'Gerilimler'],
	current: ['전류', 'Akımlar'],
	power: ['전력', 'Güçler'],
	energy: ['전력량', 'Enerjiler'],
	pv: ['태양광', 'PV'],
	battery: ['배터리', 'Batarya'],
	grid: ['계통 연계', 'Şebeke bağlantısı'],
	load: ['부하', 'Yükler'],
	backup: ['비상 출력', 'Acil çıkış'],
	phases: ['상별 값', 'Fazlar'],
	gas: ['가스', 'Gaz'],
	position: ['위치', 'Konum'],
	movement: ['이동', 'Hareket'],
	temperature: ['온도', 'Sıcaklıklar'],
	quality: ['전력 품질', 'Güç kalitesi'],
	demand: ['수요와 최댓값', 'Talep ve uç değerler'],
	relay: ['릴레이', 'Röleler'],
	input: ['입력', 'Girişler'],
	alarm: ['경보', 'Alarmlar'],
	setting: ['설정', 'Ayarlar'],
	scale: ['배율 지수', 'Ölçek üsleri'],
};

const LINES = /^(.+?)_(l\d(?:_l\d)?|[tq]\d)$/;
const OWNED = /^([a-z]+?)(\d?)_(.+)$/;

const capital = (text: string): string => text.slice(0, 1).toLocaleUpperCase('tr') + text.slice(1);

const entryOf = <Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined =>
	Object.hasOwn(table, key) ? table[key] : undefined;

function numberedWords(key: string): Words | null {
	for (const [pattern, ko, tr] of numbered) {
		const number = pattern.exec(key)?.[1];
		if (number !== undefined) return [ko.replace('#', number), tr.replace('#', number)];
	}
	return null;
}

/** `voltage_l1_l2`: the quantity and the conductors it is of. */
function linedWords(key: string): Words | null {
	const [, rest = '', lines = ''] = LINES.exec(key) ?? [];
	const words = rest === '' ? null : wordsOf(rest);
	const mark = lines.toUpperCase().replace('_', '-');
	return words === null ? null : [`${words[0]} ${mark}`, `${words[1]} ${mark}`];
}

/** Only the first ending that fits is tried: where several do, trying each would double the work with every ending of a key. */
function endedWords(key: string): Words | null {
	const found = endings.find(([ending]) => key.endsWith(ending));
	if (found === undefined) return null;
	const [ending, ko, tr] = found;
	const words = wordsOf(key.slice(0, -ending.length));
	return words === null ? null : [ko.replace('{}', words[0]), tr.replace('{}', words[1])];
}

/** `pv2_voltage`: what has the quantity, and the quantity. */
function ownedWords(key: string): Words | null {
	const [, ownerKey = '', number = '', rest = ''] = OWNED.exec(key) ?? [];
	const owner = entryOf(owners, ownerKey);
	const quantity = entryOf(quantities, rest);
	if (owner === undefined || quantity === undefined) return null;
	const [ko, plain, owned] = quantity;
	const tr = adjectives.has(ownerKey) ? plain.toLocaleLowerCase('tr') : owned;
	return [`${owner[0]}${number} ${ko}`, capital(`${owner[1]}${number} ${tr}`)];
}

function quantityWords(key: string): Words | null {
	const quantity = entryOf(quantities, key);
	return quantity === undefined ? null : [quantity[0], quantity[1]];
}

const ways: readonly ((key: string) => Words | null)[] = [
	(key) => entryOf(whole, key) ?? null,
	numberedWords,
	quantityWords,
	linedWords,
	ownedWords,
	endedWords,
];

function wordsOf(key: string): Words | null {
	for (const way of ways) {
		const words = way(key);
		if (words !== null) return words;
	}
	return null;
}

const toLabels = (words: Words | null | undefined): Labels | null =>
	words === null || words === undefined ? null : { ko: words[0], tr: words[1] };

/**
 * Korean and Turkish names of a point by its key, for keys in the usual vocabulary (`voltage_l1`, `pv2_power`, `import_energy_t1`):
 * a template has to translate only what is its own. `null`: the key is none of them.
 */
export const labelsOfKey = (key: string): Labels | null => toLabels(wordsOf(key));

/** The same for the groups that templates share. */
export const labelsOfGroup = (key: string): Labels | null => toLabels(entryOf(groups, key));
