// web/install.js - lets the pages be installed: registers the service worker (worker.js) once all is loaded.
// SPDX-License-Identifier: BSD-2-Clause

export function install() {
	const { serviceWorker } = navigator;	// there is none without TLS
	const register = () => serviceWorker.register('/sw.js').catch(() => {});	// a page works without
	if (!serviceWorker)
		return;
	if (document.readyState === 'complete')
		register();
	else
		addEventListener('load', register, { once: true });
}
