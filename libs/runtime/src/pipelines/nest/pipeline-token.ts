import { Inject } from '@nestjs/common';

/** Injection token of the pipeline with this name. */
export function pipelineToken(name: string): string {
  return `millrace:pipeline:${name}`;
}

/** Injects the pipeline with this name from `PipelinesModule`: `constructor(@InjectPipeline('s3') s3: Pipeline)`. */
export function InjectPipeline(name: string): ParameterDecorator & PropertyDecorator {
  return Inject(pipelineToken(name));
}
