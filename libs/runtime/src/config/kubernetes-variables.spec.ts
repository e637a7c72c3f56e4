import { expect, it } from 'vitest';
import { isKubernetesVariable, kubernetesVariablesOf } from './kubernetes-variables.ts';

/** As Kubernetes sets them for a Service `purchase` with a port named `http`. */
const service = {
  PURCHASE_SERVICE_HOST: '10.96.34.239',
  PURCHASE_SERVICE_PORT: '80',
  PURCHASE_SERVICE_PORT_HTTP: '80',
  PURCHASE_PORT: 'tcp://10.96.34.239:80',
  PURCHASE_PORT_80_TCP: 'tcp://10.96.34.239:80',
  PURCHASE_PORT_80_TCP_PROTO: 'tcp',
  PURCHASE_PORT_80_TCP_PORT: '80',
  PURCHASE_PORT_80_TCP_ADDR: '10.96.34.239',
  DNS_PORT_53_UDP: 'udp://[fd00::a]:53',
  DNS_PORT_53_UDP_ADDR: 'fd00::a',
};

it.each(Object.entries(service))('%s=%s is a variable of Kubernetes', (name, value) =>
  expect(isKubernetesVariable(name, value)).toBe(true),
);

it.each([
  ['PURCHASE_PORT', '3001'],
  ['PURCHASE_PORT', 'http://10.96.34.239'],
  ['PURCHASE_PORT_80', 'tcp://10.96.34.239:80'],
  ['PURCHASE_PORTS', 'tcp://10.96.34.239:80'],
  ['PURCHASE_SERVICE_HOST', 'shop.example'],
  ['PURCHASE_SERVICE_PORT', 'http'],
  ['PURCHASE_SERVICE', '10.96.34.239'],
  ['PURCHASE_HOST', '10.96.34.239'],
  ['PURCHASE_PORT', undefined],
])('%s=%s is not a variable of Kubernetes', (name, value) => expect(isKubernetesVariable(name, value)).toBe(false));

it('kubernetesVariablesOf returns only the names of Kubernetes variables', () => {
  expect(kubernetesVariablesOf({ ...service, PURCHASE_HOST: '127.0.0.1', PATH: '/bin' })).toEqual(Object.keys(service));
});
