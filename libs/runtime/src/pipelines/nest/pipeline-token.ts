import { Inject } from '@nestjs/common';

/** Injection token of the pipeline of this name. */
export function pipelineToken(name: string): string {
  return `millrace:pipeline:${name}`;
}

/** Injects the pipeline of this name, as `PipelinesModule` made it: `constructor(@InjectPipeline('s3') private readonly s3: Pipeline)`. */
export function InjectPipeline(name: string): ParameterDecorator & PropertyDecorator {
  return Inject(pipelineToken(name));
}
