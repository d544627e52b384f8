import test from 'ava';

import { xlsxOf } from '../../gateway/template/file/xlsx-writer.ts';
import { formatOf, importFile, type ImportFormat } from '../../gateway/template/import/import-formats.ts';
import type { ImportOptions } from '../../gateway/template/import/imported.ts';
import { optionsOf } from '../fake/import-options.ts';
import { pointLines } from '../fake/point-lines.ts';

interface Sample {
	readonly name: string;
	readonly file: string;
	readonly format: ImportFormat;
	readonly content: string | Buffer;
	readonly options?: Partial<ImportOptions>;
	readonly points: readonly string[];
	/** Fields of the warnings. */
	readonly warnings?: readonly (string | null)[];
}

const VOLTAGE = 'voltage_l1 3:0/1 uint16 AB x0.1 V';

const TELEGRAF = `
# a comment
[[inputs.modbus]]
  name = "Pump \\"A\\""
  slave_id = 1
  controller = 'tcp://localhost:502'
  coils = [ { name = "run", address = [4] }, ]
  discrete_inputs = [{ name = "door", address = [1]}]
  holding_registers = [
    { name = "power factor", byte_order = "AB", data_type = "FIXED", scale=0.01, address = [8] }, # inline
    { name = "energy", byte_order = "CDAB", data_type = "UFIXED", scale=0.001, address = [5,6] },
  ]
  input_registers = [
    { name = "speed", byte_order = "DCBA", data_type = "FLOAT32-IEEE", scale = 1.0, address = [0x3, 4] },
  ]
`;

const TELEGRAF_REQUEST = `
[[inputs.modbus]]
name = "Drive"
configuration_type = "request"
[[inputs.modbus.request]]
slave_id = 7
byte_order = "CDAB"
register = "input"
fields = [
  { address=0, name="rpm", type="INT16" },
  { address=1, name="unused", type="INT16", omit=true },
  { address=2, name="force", type="FLOAT32", scale=0.5 },
]
[inputs.modbus.request.tags]
machine = "a"
[[inputs.modbus.request]]
slave_id = 7
register = "coil"
fields = [ { address=9, name="run" } ]
[[inputs.modbus.request]]
slave_id = 8
register = "holding"
fields = [ { address=0, name="other", type="INT16" } ]
`;

const HOME_ASSISTANT = `
homeassistant: { name: home }
modbus:
  - name: heat_pump
    type: tcp
    host: !secret pump_host
    port: 502
    sensors:
      - name: Outside temperature
        address: 0
        slave: 1
        scale: 0.1
        precision: 1
        unit_of_measurement: "°C"
      - name: Energy
        unique_id: import_energy
        address: 2
        slave: 1
        input_type: input
        data_type: uint32
        swap: word
        state_class: total_increasing
      - { name: Odd, address: 9, slave: 1, data_type: custom, structure: ">f", count: 2 }
      - { name: Bank, address: 20, slave: 1, virtual_count: 1 }
      - { name: Neighbour, address: 0, slave: 2 }
    binary_sensors:
      - { name: Alarm, address: 3, slave: 1 }
      - { name: Door, address: 4, slave: 1, input_type: discrete_input }
    switches:
      - { name: Boost, address: 30, slave: 1, write_type: coil }
    climates:
      - { name: Zone, address: 40, slave: 1, target_temp_register: 41, scale: 0.1 }
    covers:
      - { name: Blind, address: 1 }
`;

const THINGSBOARD = JSON.stringify({
	master: {
		slaves: [
			{
				unitId: 3,
				deviceName: 'Chiller',
				byteOrder: 'BIG',
				wordOrder: 'LITTLE',
				attributes: [{ tag: 'serial', type: 'string', functionCode: 3, objectsCount: 4, address: 100 }],
				timeseries: [
					{ tag: 'flow', type: '32float', functionCode: 4, objectsCount: 2, address: 10, multiplier: 2 },
					{ tag: 'temp', type: '16int', functionCode: 3, objectsCount: 1, address: 0, divider: 10 },
					{ tag: 'leds', type: 'bits', functionCode: 1, objectsCount: 2, address: 5 },
				],
				rpc: [{ tag: 'setTemp', type: '16int', functionCode: 6, objectsCount: 1, address: 0 }],
			},
			{ unitId: 4, deviceName: 'Other', timeseries: [] },
		],
	},
});

const NEURON = JSON.stringify({
	groups: [
		{
			group: 'Main',
			tags: [
				{ name: 'freq', address: '1!400001', attribute: 1, type: 4, decimal: 0.01, precision: 0 },
				{ name: 'power', address: '1!300003#BB', attribute: 5, type: 9, decimal: 0 },
				{ name: 'limit', address: '1!400010', attribute: 3, type: 3, bias: 5 },
				{ name: 'run', address: '1!000002', attribute: 3, type: 11 },
				{ name: 'fault', address: '1!400020.4', attribute: 1, type: 11 },
				{ name: 'label', address: '1!400030.10H', attribute: 1, type: 13 },
				{ name: 'second', address: '2!400001', attribute: 1, type: 3 },
			],
		},
	],
});

const NEURON_POINTS = [
	'freq 3:0/1 uint16 AB x0.01',
	'power 4:2/2 float32 DCBA',
	'limit 3:9/1 int16 AB +5 rw',
	'run 1:1/1 bool AB rw',
	'fault 3:19/1 bit AB bit4',
	'label 3:29/5 string AB',
];

const NEURON_ROWS = [
	['group', 'name', 'address', 'attribute', 'type', 'description', 'decimal', 'precision', 'bias'],
	['Main', 'freq', '1!400001', 'Read', 'UINT16', '', '0.01', '', ''],
	['Main', 'power', '1!300003#BB', 'Read,Subscribe', 'FLOAT', '', '', '', ''],
	['Main', 'limit', '1!400010', 'Read,Write', 'INT16', '', '', '', '5'],
	['Main', 'run', '1!000002', 'Read,Write', 'BIT', '', '', '', ''],
	['Main', 'fault', '1!400020.4', 'Read', 'BIT', '', '', '', ''],
	['Main', 'label', '1!400030.10H', 'Read', 'STRING', '', '', '', ''],
];

const SUNSPEC = JSON.stringify({
	id: 64_900,
	group: {
		name: 'made',
		label: 'Made up',
		type: 'group',
		points: [
			{ name: 'ID', type: 'uint16', size: 1, static: 'S', value: 64_900 },
			{ name: 'L', type: 'uint16', size: 1, static: 'S' },
			{ name: 'W', label: 'Watts', type: 'int16', size: 1, sf: 'W_SF', units: 'W' },
			{ name: 'W_SF', type: 'sunssf', size: 1 },
			{ name: 'St', type: 'enum16', size: 1, symbols: [{ name: 'OFF', value: 1 }] },
		],
		groups: [{ name: 'many', count: 0, points: [{ name: 'V', type: 'uint16', size: 1 }] }],
	},
});

const samples: readonly Sample[] = [
	{
		name: 'CSV with commas, own columns and a byte order mark',
		file: 'a.csv',
		format: 'csv',
		content:
			'\uFEFFkey,name,function,address,count,type,byte_order,scale,unit\nvoltage_l1,"Voltage, L1",3,0,1,uint16,AB,0.1,V\n',
		points: [VOLTAGE],
	},
	{
		name: 'CSV with semicolons and decimal commas, titles of others, remarks above them',
		file: 'liste.txt',
		format: 'csv',
		content:
			'Meter 7;;;\r\n\r\nRegister Address;Label;Data type;Factor;Unit;R/W;Swap\r\n0;Voltage L1;U16;0,1;V;R;\r\n1;Energy;float;0,001;kWh;RO;word swap\r\n3;Limit;S16;1/10;A;R/W;\r\n',
		points: [
			'voltage_l1 3:0/1 uint16 AB x0.1 V',
			'energy 3:1/2 float32 CDAB x0.001 kWh',
			'limit 3:3/1 int16 AB x0.1 A rw',
		],
	},
	{
		name: 'CSV with tabs, functions by name, hexadecimal addresses, states and bits',
		file: 'a.tsv',
		format: 'csv',
		content:
			'Name\tFunction\tAddress\tType\tValues\tBit\nRun\tCoil\t0x10\tbool\t\t\nMode\tInput Register\t1Fh\tuint16\t0=off|1=on\t\nFault\tholding\t5\tbit\t\t3\n',
		points: ['run 1:16/1 bool AB', 'mode 4:31/1 uint16 AB {"0":"off","1":"on"}', 'fault 3:5/1 bit AB bit3'],
	},
	{
		name: 'reference numbers of five digits, with a warning',
		file: 'a.csv',
		format: 'csv',
		content: 'name,address,type\nA,40001,uint16\nB,30011,int32\n',
		points: ['a 3:0/1 uint16 AB', 'b 4:10/2 int32 ABCD'],
		warnings: ['address'],
	},
	{
		name: 'reference numbers of six digits, and named tables, without one',
		file: 'a.csv',
		format: 'csv',
		content: 'name,address,type\nA,400001,uint16\nB,ir:10,int32 CDAB\nC,4x100,string[8]\n',
		points: ['a 3:0/1 uint16 AB', 'b 4:10/2 int32 CDAB', 'c 3:99/4 string AB'],
	},
	{
		name: 'addresses that count from 1, as asked for',
		file: 'a.csv',
		format: 'csv',
		content: 'name,address,type\nA,1,uint16\nB,2,uint16\n',
		options: { addressing: 'one', functionCode: 4 },
		points: ['a 4:0/1 uint16 AB', 'b 4:1/1 uint16 AB'],
	},
	{
		name: 'addresses that may count from 1 are doubted; a number with three decimals too; a column nobody knows is named',
		file: 'a.csv',
		format: 'csv',
		content: 'name;address;type;scale;colour\nA;1;uint16;1,000;red\nA;2;uint16;1;red\n',
		points: ['a 3:1/1 uint16 AB', 'a_2 3:2/1 uint16 AB'],
		warnings: ['colour', 'address', 'scale', 'key'],
	},
	{
		name: 'Telegraf, register style',
		file: 'telegraf.conf',
		format: 'telegraf',
		content: TELEGRAF,
		points: [
			'run 1:4/1 bool AB',
			'door 2:1/1 bool AB',
			'power_factor 3:8/1 int16 AB x0.01',
			'energy 3:5/2 uint32 CDAB x0.001',
			'speed 4:3/2 float32 DCBA',
		],
	},
	{
		name: 'Telegraf, request style, one unit of several',
		file: 'telegraf.toml',
		format: 'telegraf',
		content: TELEGRAF_REQUEST,
		points: ['rpm 4:0/1 int16 AB', 'force 4:2/2 float32 CDAB x0.5', 'run 1:9/1 bool AB'],
		warnings: ['slave_id'],
	},
	{
		name: 'Home Assistant',
		file: 'configuration.yaml',
		format: 'home-assistant',
		content: HOME_ASSISTANT,
		points: [
			'outside_temperature 3:0/1 int16 AB x0.1 degC',
			'import_energy 4:2/2 uint32 CDAB counter',
			'odd 3:9/2 float32 ABCD',
			'bank 3:20/1 int16 AB',
			'bank_2 3:21/1 int16 AB',
			'alarm 1:3/1 bool AB',
			'door 2:4/1 bool AB',
			'boost 1:30/1 bool AB rw setting',
			'zone 3:40/1 int16 AB x0.1',
			'zone_target 3:41/1 int16 AB x0.1 rw setting',
		],
		warnings: ['slave', 'covers'],
	},
	{
		name: 'ThingsBoard gateway',
		file: 'modbus.json',
		format: 'thingsboard',
		content: THINGSBOARD,
		points: [
			'serial 3:100/4 string AB',
			'flow 4:10/2 float32 CDAB x2',
			'temp 3:0/1 int16 AB x0.1 rw setting',
			'leds_1 1:5/1 bool AB',
			'leds_2 1:6/1 bool AB',
		],
		warnings: ['slaves', 'tag'],
	},
	{
		name: 'Neuron, tags as JSON',
		file: 'tags.json',
		format: 'neuron',
		content: NEURON,
		points: NEURON_POINTS,
		warnings: ['address'],
	},
	{
		name: 'Neuron, its columns as CSV',
		file: 'tags.csv',
		format: 'csv',
		content: NEURON_ROWS.map((row) => row.map((cell) => `"${cell}"`).join(',')).join('\n'),
		points: NEURON_POINTS,
		warnings: ['description'],
	},
	{
		name: 'Neuron, its workbook',
		file: 'tags.xlsx',
		format: 'xlsx',
		content: xlsxOf([{ name: 'Tags', rows: NEURON_ROWS.map((cells, index) => ({ line: index + 1, cells })) }]),
		points: NEURON_POINTS,
		warnings: ['description'],
	},
	{
		name: 'a SunSpec model',
		file: 'model_64900.json',
		format: 'sunspec',
		content: SUNSPEC,
		options: { sunspecAddress: 100 },
		points: [
			'm64900_id 3:100/1 uint16 AB state',
			'm64900_l 3:101/1 uint16 AB state',
			'm64900_w 3:102/1 int16 AB W',
			'm64900_w_sf 3:103/1 int16 AB state',
			'm64900_st 3:104/1 uint16 AB state {"1":"OFF"}',
		],
		warnings: ['count', 'address'],
	},
	{
		name: 'a template as its own file, as it is answered',
		file: 'x.json',
		format: 'template',
		content: JSON.stringify({
			key: 'x',
			document: {
				manufacturer: 'A',
				model: 'B',
				category: 'c',
				transports: ['rtu'],
				points: [
					{
						key: 'voltage_l1',
						name: 'V',
						function: 3,
						address: 0,
						count: 1,
						type: 'uint16',
						byte_order: 'AB',
						scale: 0.1,
						unit: 'V',
					},
				],
			},
		}),
		points: [VOLTAGE],
	},
];

for (const { name, file, format, content, options, points, warnings = [] } of samples)
	test(`is read: ${name}`, (t) => {
		const bytes = Buffer.from(content);
		t.is(formatOf(file, bytes), format);
		t.deepEqual(pointLines(format, bytes, optionsOf(options)), points);
		const { notes } = importFile(format, bytes, optionsOf(options));
		t.deepEqual(
			notes.map(({ severity, field }) => [severity, field]),
			warnings.map((field) => ['warning', field]),
		);
	});

test('the name of the device comes with it where the file says it, and what the caller says counts more', (t) => {
	t.is(importFile('telegraf', Buffer.from(TELEGRAF), optionsOf()).document['model'], 'Pump "A"');
	t.is(importFile('thingsboard', Buffer.from(THINGSBOARD), optionsOf()).document['model'], 'Chiller');
	t.is(importFile('home-assistant', Buffer.from(HOME_ASSISTANT), optionsOf({ model: 'M' })).document['model'], 'M');
});
