import { composeGateway } from './compose.ts';
import { runHull } from '../core/box/run-hull.ts';
import { readProvenFiles } from '../config/template/proven-files.ts';
import { readAdministrator, readSettings, readSettingsFile } from '../config/read-settings.ts';

/** Runs the appliance until it is told to stop. `argv`: `--config FILE`, `--data DIR`. */
export const main = (argv: readonly string[]): Promise<void> =>
	runHull({
		role: 'gateway',
		argv,
		environment: process.env,
		readSettings: async (file, environment) => ({
			settings: readSettings({
				role: 'gateway',
				file: file === null ? null : await readSettingsFile(file),
				environment,
			}),
			administrator: readAdministrator(environment),
		}),
		async compose({ settings, administrator, data, packageFolder, web, version, clock, log }) {
			const extra = settings.templates.folder;
			const gateway = await composeGateway({
				settings,
				administrator,
				data,
				templateFolders: [`${packageFolder}/config/template`, ...(extra === '' ? [] : [extra])],
				provenTemplates: await readProvenFiles(`${packageFolder}/dist/proven-templates`),
				sunspecFolder: `${packageFolder}/config/sunspec`,
				web,
				version,
				clock,
				log,
			});
			return {
				claimCode: gateway.claimCode,
				ports: {
					http_port: gateway.httpPort,
					...(gateway.httpsPort !== null && { https_port: gateway.httpsPort }),
					mqtt_port: gateway.mqttPort,
					...(gateway.mqttTlsPort !== null && { mqtt_tls_port: gateway.mqttTlsPort }),
				},
				stop: () => gateway.stop(),
			};
		},
	});
