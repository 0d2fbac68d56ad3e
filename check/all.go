package check

// All is the catalogue. Guard asks the checks in this order, and the first
// refusal is the answer: what the transport forbids comes before who speaks,
// who speaks before what they said, and what they said before whether they may.
var All = []*Check{
	TLSClear,

	RequestAmbiguous,
	RequestUndeclaredEndpoint,
	RequestMethod,
	RequestTokenInURL,

	AuthnJWTNone,
	AuthnInvalid,
	AuthnMissing,
	ClientCSRF,

	RequestParameters,
	RequestContentType,
	RequestSize,
	AuthnRateLimit,
	RequestDuplicateMember,
	RequestSchema,
	RequestMassAssignment,

	AuthzFunction,
	AuthzMethod,
	AuthzQueryOwner,
	AuthzObject,
	AuthzObjectWrite,
	AuthzObjectDelete,

	Status401403,
	Status200OnFailure,
	ResponseErrorDetails,
	ResponseSchema,
	ResponseExcessiveData,
	ResponseContentType,
	ResponseCSP,
	ResponseHSTS,
	ResponseNosniff,
	ResponseFrameOptions,
	ResponseCacheControl,

	ClientCookie,
	ClientCORS,
}
