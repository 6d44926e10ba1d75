// Names: what a resource is, whose it is, and six characters that keep it apart from others of the world.
// Abbreviations are those of Microsoft's Cloud Adoption Framework.

@export()
@description('A name for most resources: kind-stem-token, in lower case.')
func nameOf(kind string, stem string, token string) string => toLower('${kind}-${stem}-${take(token, 6)}')

@export()
@description('A name of at most 24 letters and digits, for storage accounts and key vaults; token has 13 characters (uniqueString).')
func shortNameOf(kind string, stem string, token string) string => toLower('${take('${kind}${replace(stem, '-', '')}', 11)}${token}')
