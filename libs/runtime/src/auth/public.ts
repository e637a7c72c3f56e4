import { SetMetadata } from '@nestjs/common';

/** Metadata key of {@link Public}. */
export const publicMetadata = 'millrace:public';

/** Marks a controller or a route that needs no credentials. */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(publicMetadata, true);
