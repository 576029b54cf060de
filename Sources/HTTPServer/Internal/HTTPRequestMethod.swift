import Network
import Ports
import Synchronization

extension HTTPRequest.Method {
    init(_ verb: HTTPVerb) {
        self =
            switch verb {
            case .get: .get
            case .head: .head
            case .post: .post
            case .put: .put
            case .delete: .delete
            case .options: .options
            case .patch: .patch
            }
    }
}
