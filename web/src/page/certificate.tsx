import { Back } from '../part/back.tsx';
import { usePoll } from '../state/poll.ts';
import { t } from '../text.ts';
import type { SetupView } from '../wire.ts';

const PERIOD_MS = 60_000;

/** How a browser learns to trust the https address of this box. */
export function CertificatePage() {
	const { data } = usePoll<SetupView>('/api/v1/setup', PERIOD_MS);
	const fingerprint = data.value?.certificate_authority_sha256 ?? null;
	return (
		<>
			<Back to="settings" />
			<section class="card form-wide">
				<h1>{t('certificate.title')}</h1>
				<p>{t('certificate.lead')}</p>
				{data.value !== null && fingerprint === null && <p class="quiet">{t('certificate.none')}</p>}
				{fingerprint !== null && (
					<>
						<p>
							<a class="button primary" href="/api/v1/certificate-authority" download>
								{t('certificate.download')}
							</a>
						</p>
						<h2>{t('certificate.fingerprint')}</h2>
						<p>
							<code>{fingerprint}</code>
						</p>
						<p class="hint">{t('certificate.compare')}</p>
					</>
				)}
			</section>
		</>
	);
}
