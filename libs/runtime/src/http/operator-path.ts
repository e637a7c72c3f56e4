/** Paths an operator needs most when the service is overloaded. */
const operatorPaths = /^\/(health\/|metrics$|hystrix\.stream$|admin\/)/;

/** Whether a route is for operators: health, metrics and the control of pipelines. */
export function isOperatorPath(route: string | undefined): boolean {
  return operatorPaths.test(route ?? '');
}
