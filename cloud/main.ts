import { readAdministrator, readSettings, readSettingsFile } from '../config/read-settings.ts';
import { runHull } from '../core/box/run-hull.ts';
import { readProvenFiles } from '../config/template/proven-files.ts';
import { composeHub } from './compose.ts';

/** Runs the hub until it is told to stop. `argv`: `--config FILE`, `--data DIR`. */
export const main = (argv: readonly string[]): Promise<void> =>
	runHull({
		role: 'hub',
		argv,
		environment: process.env,
		readSettings: async (file, environment) => ({
			settings: readSettings({ role: 'hub', file: file === null ? null : await readSettingsFile(file), environment }),
			administrator: readAdministrator(environment),
		}),
		async compose({ settings, administrator, data, packageFolder, web, version, clock, log }) {
			const hub = await composeHub({
				settings,
				administrator,
				data,
				templateFolders: [`${packageFolder}/config/template`],
				provenTemplates: await readProvenFiles(`${packageFolder}/dist/proven-templates`),
				web,
				version,
				clock,
				log,
			});
			return {
				claimCode: hub.claimCode,
				ports: {
					http_port: hub.httpPort,
					...(hub.httpsPort !== null && { https_port: hub.httpsPort }),
					link_port: hub.linkPort,
				},
				stop: () => hub.stop(),
			};
		},
	});
