import { debianPrograms } from './apt-install.ts'

/** Prometheus and promtool of the system's release; the service of the package is not started. */
export const {
  installLine: prometheusInstallLine,
  isInstalled: isPrometheusInstalled,
  install: installPrometheus,
} = debianPrograms({
  title: 'Prometheus',
  packages: ['prometheus'],
  programs: ['prometheus', 'promtool'],
  version: { argv: ['prometheus', '--version'], form: /^prometheus, version (\d+\.\d+\.\d+)/m },
})
